/** The peaks of a recording, for a waveform. */
import type { Sound } from '../document';
import { bytesOf } from '../load';

export interface Peaks {
  perS: number;
  caller: Uint8Array;
  agent: Uint8Array;
}

export function peaksOf(sound: Sound | null | undefined): Peaks | null {
  if (!sound?.caller || !sound.agent) return null;
  return { perS: sound.peaks_per_s ?? 100, caller: bytesOf(sound.caller), agent: bytesOf(sound.agent) };
}

/** The largest peak between two times, 0 to 1. Between two peaks it is that of the interval. */
export function largest(peaks: Uint8Array, perS: number, fromS: number, untilS: number): number {
  const first = Math.max(0, Math.floor(fromS * perS));
  const last = Math.min(peaks.length, Math.max(first + 1, Math.ceil(untilS * perS)));
  let most = 0;
  for (let at = first; at < last; at += 1) most = Math.max(most, peaks[at] ?? 0);
  return most / 255;
}
