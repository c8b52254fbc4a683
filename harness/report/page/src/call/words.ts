/** The difference between what was said and what was heard, word by word. */

export interface Change {
  /** Whether the words are in both texts, only in what was said, or only in what was heard. */
  kind: 'same' | 'said' | 'heard';
  words: string;
}

const MOST_WORDS = 600;

/** The words of both texts in order, by their longest common subsequence; empty if the texts are equal or too long. */
export function changes(said: string, heard: string): Change[] {
  const [a, b] = [said.split(/\s+/).filter(Boolean), heard.split(/\s+/).filter(Boolean)];
  if (a.join(' ') === b.join(' ') || a.length > MOST_WORDS || b.length > MOST_WORDS) return [];
  // common[i][j]: how many words the rests from i and from j have in common, in order.
  const common = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1));
  const at = (i: number, j: number) => common[i]?.[j] ?? 0;
  for (let i = a.length - 1; i >= 0; i -= 1) {
    const row = common[i];
    if (row === undefined) continue;
    for (let j = b.length - 1; j >= 0; j -= 1) {
      row[j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const found: Change[] = [];
  const add = (kind: Change['kind'], word = '') => {
    const last = found.at(-1);
    if (last?.kind === kind) last.words += ` ${word}`;
    else found.push({ kind, words: word });
  };
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      add('same', a[i]);
      [i, j] = [i + 1, j + 1];
    } else if (i < a.length && (j === b.length || at(i + 1, j) >= at(i, j + 1))) {
      add('said', a[i]);
      i += 1;
    } else {
      add('heard', b[j]);
      j += 1;
    }
  }
  return found;
}
