/** The position in a call, and its recording if there is one. */
import type { Sound } from '../document';
import { embeddedSound } from '../load';

export class Player {
  /** The position in seconds; 0 is the moment when the caller was connected. */
  position = 0;
  /** Why the recording does not play, once that is known. */
  problem = '';
  private readonly audio: HTMLAudioElement | null;
  private readonly url: string | null;
  private readonly watchers = new Set<() => void>();
  private frame = 0;

  constructor(call: string, sound: Sound | null | undefined, readonly startS: number, readonly endS: number) {
    const embedded = sound?.embedded ? embeddedSound(call) : null;
    this.url = embedded === null ? null : URL.createObjectURL(embedded);
    const src = this.url ?? sound?.src ?? null;
    this.audio = src === null ? null : new Audio();
    if (this.audio === null || src === null) return;
    this.audio.preload = embedded === null ? 'none' : 'auto';
    this.audio.src = src;
    for (const event of ['play', 'pause', 'ended', 'ratechange'] as const) this.audio.addEventListener(event, this.follow);
    this.audio.addEventListener('error', this.failed);
  }

  get canPlay(): boolean {
    return this.audio !== null && this.problem === '';
  }

  get playing(): boolean {
    return this.audio !== null && !this.audio.paused && !this.audio.ended;
  }

  get rate(): number {
    return this.audio?.playbackRate ?? 1;
  }

  set rate(rate: number) {
    if (this.audio !== null) this.audio.playbackRate = rate;
  }

  /** Calls `watcher` whenever the position or the state changes; returns what ends that. */
  watch(watcher: () => void): () => void {
    this.watchers.add(watcher);
    return () => { this.watchers.delete(watcher); };
  }

  seek(seconds: number): void {
    this.position = Math.max(this.startS, Math.min(this.endS, seconds));
    if (this.audio !== null) this.audio.currentTime = Math.max(0, this.position);
    this.tell();
  }

  toggle(): void {
    if (this.playing) this.audio?.pause();
    else this.play();
  }

  play(): void {
    if (this.audio === null) return;
    if (this.audio.ended || this.position >= this.endS) this.seek(0);
    this.audio.play().catch((error: unknown) => {
      // A pause that comes before the sound is no failure.
      if (!(error instanceof DOMException && error.name === 'AbortError')) this.failed();
    });
  }

  close(): void {
    cancelAnimationFrame(this.frame);
    this.watchers.clear();
    this.audio?.pause();
    this.audio?.removeAttribute('src');
    if (this.url !== null) URL.revokeObjectURL(this.url);
  }

  private readonly failed = (): void => {
    if (!this.audio?.getAttribute('src')) return;
    this.problem = this.url === null
      ? 'The recording is not where this page looks for it: keep report.html in the folder of the run.'
      : 'This browser does not play Opus; the recording is in the folder of the run.';
    this.tell();
  };

  private readonly follow = (): void => {
    cancelAnimationFrame(this.frame);
    if (this.audio !== null && this.playing) {
      this.position = this.audio.currentTime;
      this.frame = requestAnimationFrame(this.follow);
    }
    this.tell();
  };

  private tell(): void {
    for (const watcher of this.watchers) watcher();
  }
}
