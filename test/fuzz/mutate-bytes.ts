/** Answers a number from 0 to below `sides`. */
export type Dice = (sides: number) => number;

type Around = {
  readonly corpus: readonly Buffer[];
  readonly dice: Dice;
  readonly words: readonly string[];
};

/** The input with one to four changes, as fuzzers make them. */
export function mutated(input: Buffer, around: Around): Buffer {
  let changed = input;
  for (let left = 1 + around.dice(4); left > 0; left--) changed = mutatedOnce(changed, around);
  return changed;
}

function mutatedOnce(input: Buffer, { corpus, dice, words }: Around): Buffer {
  const at = dice(input.length + 1);
  const size = 1 + dice(Math.min(16, input.length));
  const [before, after] = [input.subarray(0, at), input.subarray(at)];
  switch (dice(7)) {
    case 0:
      return Buffer.concat([before, Buffer.from(words[dice(words.length)] ?? ""), after]);
    case 1:
      return Buffer.concat([before, Buffer.from([dice(256)]), after]);
    case 2:
      return Buffer.concat([before, after.subarray(size)]);
    case 3:
      return Buffer.concat([before, after.subarray(0, size), after]);
    case 4:
      return Buffer.concat([
        before,
        Buffer.from([(after[0] ?? 0) ^ (1 << dice(8))]),
        after.subarray(1),
      ]);
    case 5: {
      const other = corpus[dice(corpus.length)] ?? input;
      return Buffer.concat([before, other.subarray(dice(other.length + 1))]);
    }
    default: {
      const word = Buffer.from(words[dice(words.length)] ?? "");
      return Buffer.concat([before, word, after.subarray(word.length)]);
    }
  }
}
