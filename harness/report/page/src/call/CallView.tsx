/** One call: its time line with the recording, and what was said turn by turn. */
import { useEffect, useMemo, useState } from 'preact/hooks';
import type { Listed } from '../calls/filter';
import { stateOf } from '../calls/state';
import type { CallResult, Document, Sound } from '../document';
import { count, counted, seconds } from '../numbers';
import { Outcome } from '../parts';
import { linkTo, routeOf } from '../route';
import { besideOf } from './beside';
import { Controls } from './Controls';
import { Events } from './Events';
import { factsOf } from './facts';
import { fitting, MOST_PX_PER_S } from './layout';
import { peaksOf } from './peaks';
import { Player } from './player';
import { stepsOf } from './steps';
import { StepView } from './StepView';
import { timelineOf } from './timeline';
import { TimelineView, type Zoom } from './TimelineView';

interface CallViewProps {
  document: Document;
  call: CallResult;
  /** The calls of the list, in its order. */
  order: Listed[];
  /** Where to start, in seconds. */
  startS: number | null;
}

export function CallView({ document: shown, call, order, startS }: CallViewProps) {
  const added = shown.shown.calls?.[call.call];
  const detail = useMemo(() => shown.detailed.calls?.find((each) => each.call === call.call), [shown, call]);
  const timeline = useMemo(() => timelineOf(call, added, detail), [call, added, detail]);
  const peaks = useMemo(() => peaksOf(detail?.sound), [detail]);
  const beside = useMemo(() => besideOf(shown, call), [shown, call]);
  const steps = useMemo(() => stepsOf(call, added?.doubted ?? []), [call, added]);
  const stops = useMemo(() => steps.flatMap((step) => (step.atMs === null ? [] : [Math.max(0, step.atMs - 200) / 1000])), [steps]);
  const player = usePlayer(call, detail?.sound, timeline.startMs / 1000, timeline.endMs / 1000, startS);
  const zoom = useZoom(timeline.endMs - timeline.startMs);
  const at = order.findIndex((each) => each.call.call === call.call);
  const here = steps.findLast((step) => step.atMs !== null && step.atMs <= player.position * 1000 + 200);
  const seek = (toS: number) => {
    player.seek(toS);
    if (player.canPlay && !player.playing) player.play();
  };
  return (
    <>
      <nav class="call-nav" aria-label="Calls">
        <a href="#calls">‹ All calls</a>
        <span class="soft">{at >= 0 ? `${count(at + 1)} of ${count(order.length)}` : ''}</span>
        <Step to={order[at - 1]} words="‹ previous" keys="k" />
        <Step to={at < 0 ? undefined : order[at + 1]} words="next ›" keys="j" />
      </nav>
      <header class="call-head">
        <h1>{call.call}</h1>
        <Outcome state={stateOf(call, added)} />
        <bdi>{call.scenario}</bdi>
        <span class="soft">{counted((call.turns ?? []).length, 'turn')} · {seconds(call.duration_ms ?? 0)}</span>
        {beside?.call != null && <span class="soft">in turns with <a href={linkTo(beside.call)}>{beside.call}</a> ({beside.name})</span>}
      </header>
      {(call.failures ?? []).length > 0 && (
        <ul class="failed-with">
          {(call.failures ?? []).map((seen, index) => (
            <li key={index}>
              <code>{seen.kind}</code> <bdi>{seen.what}</bdi>{' '}
              <span class="soft">
                ({[seen.turn != null && `turn ${seen.turn}`, seen.at_ms != null && `at ${seconds(seen.at_ms)}`, seen.ended && 'ended the call'].filter(Boolean).join(', ')})
              </span>
              {added?.hints?.[index] && <p class="soft">hint: <bdi>{added.hints[index]}</bdi></p>}
            </li>
          ))}
        </ul>
      )}
      {notesOf(call).length > 0 && <ul class="notes">{notesOf(call).map((note) => <li key={note}><bdi>{note}</bdi></li>)}</ul>}
      <div class="stage">
        <Controls call={call.call} player={player} zoom={zoom} stops={stops} without={whyNoSound(call, detail?.sound?.problem)} />
        <TimelineView timeline={timeline} peaks={peaks} player={player} zoom={zoom} />
        <p class="legend">
          <span><span class="key caller" /> caller</span>
          <span><span class="key agent" /> agent</span>
          <span><b>▾</b> onset</span>
          <span><b>⊢⊣</b> TTFA, and time to stop</span>
          <span><b>▸</b> typed</span>
          <span><b>↯</b> talks over</span>
          <span><b>T</b> transcript <b>E</b> echo <b>R</b> reply text</span>
          <span><b class="bad">✕</b> failure</span>
          <span><span class="key hatched" /> in no percentile</span>
        </p>
      </div>
      <div class="steps">
        {steps.map((step) => <StepView key={step.key} step={step} units={shown.shown.expectation_units ?? {}} here={step === here} beside={beside} onSeek={seek} />)}
      </div>
      <dl class="facts">
        {factsOf(call).map((fact) => (
          <div key={fact.name} title={fact.title}><dt>{fact.name}</dt><dd><bdi>{fact.value}</bdi></dd></div>
        ))}
      </dl>
      {detail !== undefined && <Events detail={detail} onSeek={(toS) => { player.seek(toS); }} />}
    </>
  );
}

function Step({ to, words, keys }: { to: Listed | undefined; words: string; keys: string }) {
  if (to === undefined) return <span class="soft">{words}</span>;
  return <a href={linkTo(to.call.call)} title={to.call.call} aria-keyshortcuts={keys}>{words}</a>;
}

function notesOf(call: CallResult): string[] {
  const repeats = call.retry_of == null ? [] : [`repeats call ${call.retry_of}, which could not be measured`];
  return [...repeats, ...(call.notes ?? []), ...(call.self_faults ?? [])];
}

function whyNoSound(call: CallResult, problem: string | undefined): string {
  if (problem) return problem;
  if (call.recording == null) return 'This call was not recorded (--record all keeps every call).';
  return `Its recording is ${call.recording}; this page holds the sound of failed calls and of a sample of the others.`;
}

/** The player of a call; the component is drawn again whenever its position or state changes, and the address follows. */
function usePlayer(call: CallResult, sound: Sound | null | undefined, fromS: number, untilS: number, startS: number | null): Player {
  const player = useMemo(() => new Player(call.call, sound, fromS, untilS), [call, sound, fromS, untilS]);
  const [, setTick] = useState(0);
  useEffect(() => {
    let last = -1;
    const stop = player.watch(() => {
      // The figures change ten times a second; the cursor moves by itself.
      const now = Math.round(player.position * 10) + (player.playing ? 0.5 : 0) + (player.problem ? 0.25 : 0);
      if (now !== last) setTick((tick) => tick + 1);
      last = now;
      if (!player.playing && player.position > 0) history.replaceState(null, '', linkTo(call.call, player.position));
    });
    return () => {
      stop();
      player.close();
    };
  }, [player, call]);
  useEffect(() => {
    if (startS !== null && Math.abs(startS - player.position) > 0.01) player.seek(startS);
  }, [player, startS]);
  useEffect(() => {
    const onHash = () => {
      const route = routeOf(location.hash);
      if (route.call === call.call && route.t !== null) player.seek(route.t);
    };
    addEventListener('hashchange', onHash);
    return () => { removeEventListener('hashchange', onHash); };
  }, [player, call]);
  return player;
}

function useZoom(lengthMs: number): Zoom {
  const [times, setTimes] = useState(1);
  return useMemo(() => {
    const most = Math.max(1, MOST_PX_PER_S / fitting({ startMs: 0, endMs: lengthMs, items: [] }, 1000));
    const by = (factor: number) => { setTimes((now) => Math.max(1, Math.min(most, now * factor))); };
    return { times, by, fit: () => { setTimes(1); } };
  }, [times, lengthMs]);
}
