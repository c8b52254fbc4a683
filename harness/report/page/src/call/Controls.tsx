/** Play, pause, the position, the zoom, and the keys that do the same. */
import { useLayoutEffect, useState } from 'preact/hooks';
import { isTyping } from '../keys';
import { seconds } from '../numbers';
import { linkTo } from '../route';
import type { Player } from './player';
import type { Zoom } from './TimelineView';

const RATES = [0.5, 1, 1.5, 2];
const [STEP_S, LONG_STEP_S] = [1, 5];
const STEP = 1.6; // of the zoom

interface ControlsProps {
  call: string;
  player: Player;
  zoom: Zoom;
  /** The times to which [ and ] go, sorted, in seconds. */
  stops: number[];
  /** What is said where there is nothing to play. */
  without: string;
}

export function Controls({ call, player, zoom, stops, without }: ControlsProps) {
  const [copied, setCopied] = useState(false);
  useKeys(player, zoom, stops);
  const copy = () => {
    const url = location.href.replace(/#.*$/, '') + linkTo(call, player.position);
    history.replaceState(null, '', linkTo(call, player.position));
    navigator.clipboard.writeText(url).then(() => {
      setCopied(true);
      setTimeout(() => { setCopied(false); }, 2000);
    }, () => {
      // Where the clipboard is refused, the address bar has the link.
    });
  };
  return (
    <div class="controls">
      {player.canPlay ? (
        <button type="button" class="play" aria-keyshortcuts="Space" onClick={() => { player.toggle(); }}>
          <span aria-hidden="true">{player.playing ? '❚❚' : '▶'}</span> {player.playing ? 'Pause' : 'Play'}
        </button>
      ) : (
        <span class="soft">{player.problem || without}</span>
      )}
      <output class="position" aria-live="off">
        {seconds(player.position * 1000)} <span class="soft">of {seconds(player.endS * 1000)}</span>
      </output>
      {player.canPlay && (
        <label class="soft">
          speed{' '}
          <select value={String(player.rate)} onChange={(event) => { player.rate = Number(event.currentTarget.value); }}>
            {RATES.map((rate) => <option key={rate} value={String(rate)}>{rate}×</option>)}
          </select>
        </label>
      )}
      <span class="zoom" role="group" aria-label="Zoom">
        <button type="button" aria-label="Zoom out" onClick={() => { zoom.by(1 / STEP); }}>−</button>
        <button type="button" onClick={() => { zoom.fit(); }}>whole call</button>
        <button type="button" aria-label="Zoom in" onClick={() => { zoom.by(STEP); }}>+</button>
      </span>
      <button type="button" onClick={copy}>{copied ? 'Copied' : 'Copy link to this moment'}</button>
      <details class="keys">
        <summary>Keys</summary>
        <p>
          <kbd>space</kbd> play or pause · <kbd>←</kbd> <kbd>→</kbd> 1 s (with <kbd>shift</kbd> 5 s) · <kbd>[</kbd>{' '}
          <kbd>]</kbd> turn before or after · <kbd>+</kbd> <kbd>−</kbd> <kbd>0</kbd> zoom · <kbd>j</kbd> <kbd>k</kbd> next or
          previous call · <kbd>esc</kbd> all calls · in the list: <kbd>/</kbd> search, <kbd>j</kbd> <kbd>k</kbd> choose,{' '}
          <kbd>enter</kbd> open
        </p>
      </details>
    </div>
  );
}

function useKeys(player: Player, zoom: Zoom, stops: readonly number[]): void {
  useLayoutEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event)) return;
      const done = ACTIONS[event.key]?.(player, zoom, stops, event);
      if (done === true) event.preventDefault();
    };
    addEventListener('keydown', onKey);
    return () => { removeEventListener('keydown', onKey); };
  }, [player, zoom, stops]);
}

type Action = (player: Player, zoom: Zoom, stops: readonly number[], event: KeyboardEvent) => boolean;

const ACTIONS: Record<string, Action> = {
  ' ': (player, _, __, event) => {
    // On a button the space bar presses it.
    if ((event.target as Element).matches('button, summary, a')) return false;
    player.toggle();
    return true;
  },
  ArrowLeft: (player, _, __, event) => moved(player, -(event.shiftKey ? LONG_STEP_S : STEP_S)),
  ArrowRight: (player, _, __, event) => moved(player, event.shiftKey ? LONG_STEP_S : STEP_S),
  '[': (player, _, stops) => jumped(player, stops.findLast((stop) => stop < player.position - 0.3)),
  ']': (player, _, stops) => jumped(player, stops.find((stop) => stop > player.position + 0.01)),
  '+': (_, zoom) => zoomed(zoom, STEP),
  '=': (_, zoom) => zoomed(zoom, STEP),
  '-': (_, zoom) => zoomed(zoom, 1 / STEP),
  '0': (_, zoom) => zoomed(zoom, 0),
};

function moved(player: Player, byS: number): boolean {
  player.seek(player.position + byS);
  return true;
}

function jumped(player: Player, to: number | undefined): boolean {
  if (to !== undefined) player.seek(to);
  return true;
}

function zoomed(zoom: Zoom, factor: number): boolean {
  zoom.by(factor);
  return true;
}
