"use strict";
(() => {
  const players = Array.from(document.querySelectorAll("audio"));

  function play(call, seconds) {
    const audio = call.querySelector("audio");
    if (!audio) return;
    audio.currentTime = Math.max(0, seconds);
    audio.play().catch(() => {}); // refused or not playable: the control shows it
  }

  function moveCursor(call, audio) {
    const svg = call.querySelector("svg[data-scale]");
    if (!svg) return;
    const cursor = svg.querySelector(".cursor");
    const seconds = Math.min(audio.currentTime, Number(svg.dataset.end));
    cursor.setAttribute("transform", `translate(${Number(svg.dataset.left) + seconds * Number(svg.dataset.scale)} 0)`);
    cursor.setAttribute("visibility", audio.currentTime > 0 ? "visible" : "hidden");
  }

  for (const audio of players) {
    const call = audio.closest(".call");
    const follow = () => {
      moveCursor(call, audio);
      if (!audio.paused && !audio.ended) requestAnimationFrame(follow);
    };
    audio.addEventListener("play", () => {
      for (const other of players) if (other !== audio) other.pause();
      follow();
    });
    audio.addEventListener("seeked", () => moveCursor(call, audio));
  }

  document.addEventListener("click", (event) => {
    const seek = event.target.closest("[data-seek]");
    if (seek) return play(seek.closest(".call"), Number(seek.dataset.seek));
    const all = event.target.closest("[data-all]");
    if (all) {
      for (const call of document.querySelectorAll(".call")) call.open = all.dataset.all === "open";
      return undefined;
    }
    const svg = event.target.closest("svg.playable");
    if (svg) {
      const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
      const seconds = (point.x - Number(svg.dataset.left)) / Number(svg.dataset.scale);
      if (seconds >= 0 && seconds <= Number(svg.dataset.end)) play(svg.closest(".call"), seconds);
    }
    return undefined;
  });

  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-failed-only]")) {
      event.target.closest(".calls").classList.toggle("failed-only", event.target.checked);
    }
  });

  function openTarget() {
    const target = location.hash && document.getElementById(location.hash.slice(1));
    const call = target && target.closest(".call");
    if (!call) return;
    for (const only of document.querySelectorAll("[data-failed-only]:checked")) only.click(); // it may hide the target
    call.open = true;
    target.scrollIntoView();
  }
  addEventListener("hashchange", openTarget);
  openTarget();

  for (const tools of document.querySelectorAll(".tools")) tools.hidden = false;
})();
