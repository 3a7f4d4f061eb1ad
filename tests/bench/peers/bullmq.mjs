// BullMQ: one worker with the window as its concurrency; finished jobs are removed.
// enableAutoPipelining of ioredis makes no difference here.
import { Queue, Worker } from 'bullmq';
import IORedis from 'ioredis';
import { count, database, numbers, send, whenTold, window } from './common.mjs';

const connection = new IORedis(database, { maxRetriesPerRequest: null });
const queue = new Queue('send', { connection });
for (let first = 0; first < count; first += 1_000) {
  await queue.addBulk(numbers.slice(first, first + 1_000).map((number) => ({ name: 'send', data: { number } })));
}
const worker = new Worker('send', (job) => send(job.data.number), {
  connection,
  concurrency: window,
  autorun: false,
  removeOnComplete: { count: 0 },
});
worker.on('error', (error) => console.error(error));
worker.on('failed', (_, error) => {
  throw error;
});
await worker.waitUntilReady();

await whenTold(
  () =>
    new Promise((resolve) => {
      let done = 0;
      worker.on('completed', () => {
        if (++done === count) resolve();
      });
      worker.run();
    }),
);
