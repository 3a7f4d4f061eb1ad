// Node's HTTP client without a queue: the floor of the peers that run on Node.
import { numbers, send, whenTold, window } from './common.mjs';

const next = numbers.values();

async function oneAfterTheOther() {
  for (const number of next) await send(number);
}

await whenTold(() => Promise.all(Array.from({ length: window }, oneAfterTheOther)));
