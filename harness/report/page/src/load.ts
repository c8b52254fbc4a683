/** Reads what harness/report/html.py put into the page. */
import type { Document } from './document';

/** The run's document. */
export async function loadDocument(): Promise<Document> {
  const element = document.getElementById('document');
  if (element === null) throw new Error('the page holds no run');
  const packed = new Blob([bytesOf(element.textContent)]).stream();
  return (await new Response(packed.pipeThrough(new DecompressionStream('gzip'))).json()) as Document;
}

/** The embedded recording of a call, as a file of Ogg/Opus; null if there is none. */
export function embeddedSound(call: string): Blob | null {
  for (const element of document.querySelectorAll<HTMLElement>('script[data-call]')) {
    if (element.dataset.call === call) return new Blob([bytesOf(element.textContent)], { type: 'audio/ogg; codecs=opus' });
  }
  return null;
}

/** The bytes of base64. */
export function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at += 1) bytes[at] = text.charCodeAt(at);
  return bytes;
}
