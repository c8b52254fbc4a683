/** The time line of a call: scrolled, zoomed and scrubbed. A canvas as wide as its place is drawn at each change. */
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { useTheme } from '../charts/theme';
import { seconds } from '../numbers';
import { draw } from './draw';
import { bandsOf, fitting, itemAt, MOST_PX_PER_S, secondsAt, type View } from './layout';
import type { Peaks } from './peaks';
import type { Player } from './player';
import type { Timeline } from './timeline';

const px = (length: number) => `${length}px`;

interface TimelineProps {
  timeline: Timeline;
  peaks: Peaks | null;
  player: Player;
  zoom: Zoom;
}

/** How many times larger than the whole call; 1 fits. */
export interface Zoom {
  times: number;
  /** Makes the scale this many times what it is, also where it has changed since. */
  by: (factor: number) => void;
  /** Shows the whole call. */
  fit: () => void;
}

export function TimelineView({ timeline, peaks, player, zoom }: TimelineProps) {
  const theme = useTheme();
  const place = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const cursor = useRef<HTMLDivElement>(null);
  const [tip, setTip] = useState<{ x: number; y: number; words: string } | null>(null);
  const [widthPx, setWidth] = useState(0);
  const { bands, height } = useMemo(() => bandsOf(timeline.items), [timeline]);
  const fit = fitting(timeline, Math.max(100, widthPx));
  const pxPerS = Math.min(Math.max(fit, MOST_PX_PER_S), fit * zoom.times);
  const wholePx = Math.max(widthPx, ((timeline.endMs - timeline.startMs) / 1000) * pxPerS);
  const view = (): View => ({ fromS: timeline.startMs / 1000 + (place.current?.scrollLeft ?? 0) / pxPerS, pxPerS, widthPx });
  const anchor = useRef<{ atS: number; x: number } | null>(null);

  const moveCursor = (isFollowing: boolean) => {
    const [here, line] = [place.current, cursor.current];
    if (here === null || line === null) return;
    const x = (player.position - timeline.startMs / 1000) * pxPerS;
    line.style.transform = `translateX(${x}px)`;
    if (isFollowing && (x < here.scrollLeft || x > here.scrollLeft + here.clientWidth - 8)) {
      here.scrollLeft = x - here.clientWidth * 0.15;
    }
  };
  const redraw = () => {
    if (canvas.current !== null && widthPx > 0) draw(canvas.current, { timeline, bands, height, peaks, view: view(), theme });
  };

  useLayoutEffect(() => {
    const here = place.current;
    if (here === null) return undefined;
    const observer = new ResizeObserver(() => { setWidth(here.clientWidth); });
    observer.observe(here);
    setWidth(here.clientWidth);
    return () => { observer.disconnect(); };
  }, []);
  useLayoutEffect(() => {
    // What is under the pointer, or else the position, stays where it is while the scale changes.
    const here = place.current;
    if (here !== null && anchor.current !== null) {
      here.scrollLeft = (anchor.current.atS - timeline.startMs / 1000) * pxPerS - anchor.current.x;
      anchor.current = null;
    } else if (here !== null) {
      here.scrollLeft = (player.position - timeline.startMs / 1000) * pxPerS - here.clientWidth / 2;
    }
    redraw();
    moveCursor(false);
  }, [pxPerS, widthPx]);
  useEffect(redraw);
  useEffect(() => player.watch(() => { moveCursor(true); }), [player, pxPerS, widthPx]);
  useEffect(() => {
    const here = place.current;
    if (here === null) return undefined;
    const onWheel = (event: WheelEvent) => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      const x = event.clientX - here.getBoundingClientRect().left;
      anchor.current = { atS: secondsAt(x, view()), x };
      zoom.by(Math.exp(-event.deltaY / 300));
    };
    // Not passive, or the browser would zoom the page.
    here.addEventListener('wheel', onWheel, { passive: false });
    return () => { here.removeEventListener('wheel', onWheel); };
  });

  const scrub = (event: PointerEvent) => {
    const box = place.current?.getBoundingClientRect();
    if (box !== undefined) player.seek(secondsAt(event.clientX - box.left, view()));
  };
  const onPointerDown = (event: PointerEvent & { currentTarget: HTMLElement }) => {
    if (event.button !== 0 || event.pointerType === 'touch') return;
    event.currentTarget.setPointerCapture(event.pointerId);
    scrub(event);
  };
  const onPointerMove = (event: PointerEvent) => {
    if (event.buttons === 1 && event.pointerType !== 'touch') {
      scrub(event);
      return;
    }
    const box = place.current?.getBoundingClientRect();
    if (box === undefined) return;
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    const item = itemAt(x, y, timeline.items, bands, view());
    setTip(item === null ? null : { x: Math.min(x, Math.max(0, widthPx - 260)), y: y + 16, words: item.title });
  };

  return (
    <div class="timeline" style={{ height: px(height + 14) }}>
      <div class="lane-names" aria-hidden="true">
        {bands.map((band) => <span key={band.lane} style={{ top: px(band.top), height: px(band.height) }}>{band.name}</span>)}
      </div>
      {/* The keys of the page move the position; see Keys. */}
      <div
        ref={place}
        class="lanes"
        role="slider"
        tabIndex={0}
        aria-label="Position in the call"
        aria-valuemin={0}
        aria-valuemax={Math.round(timeline.endMs / 1000)}
        aria-valuenow={Math.round(player.position * 10) / 10}
        aria-valuetext={seconds(player.position * 1000)}
        onScroll={redraw}
      >
        <div class="whole" style={{ width: px(wholePx), height: px(height) }}>
          <canvas
            ref={canvas}
            style={{ width: px(widthPx), height: px(height) }}
            onPointerDown={onPointerDown}
            onPointerMove={onPointerMove}
            onPointerUp={(event) => { if (event.pointerType === 'touch') scrub(event); }}
            onPointerLeave={() => { setTip(null); }}
          />
          <div ref={cursor} class="cursor" style={{ height: px(height) }} />
        </div>
      </div>
      {tip !== null && <div class="tip" style={{ left: px(tip.x), top: px(tip.y) }}>{tip.words}</div>}
    </div>
  );
}
