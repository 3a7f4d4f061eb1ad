// graphile-worker with the batching of its page on performance: a local queue, and completions in batches.
// Sizes from 300 to 2,000 and delays from 0 to 50 ms cost about the same; these the least.
import { Logger, makeWorkerUtils, runOnce } from 'graphile-worker';
import pg from 'pg';
import { database, numbers, send, whenTold, window } from './common.mjs';

const logger = new Logger(() => (level, text) => {
  if (level === 'error') console.error(text);
});
// A pool of our own stays open at the end: CPU of a server process that ends at that moment would not be seen.
// Its few connections suffice: the local queue fetches, and all else is batches.
const pgPool = new pg.Pool({ connectionString: database, max: 25 });
pgPool.on('error', (error) => console.error(error));
pgPool.on('connect', (client) => client.on('error', (error) => console.error(error)));
const utils = await makeWorkerUtils({ pgPool, logger });
await utils.migrate();
await utils.addJobs(numbers.map((number) => ({ identifier: 'send', payload: { number } })));
await utils.release();

await whenTold(() =>
  runOnce({
    pgPool,
    logger,
    noHandleSignals: true,
    taskList: { send: ({ number }) => send(number) },
    preset: {
      worker: {
        concurrentJobs: window,
        localQueue: { size: 2_000 },
        completeJobBatchDelay: 50,
        failJobBatchDelay: 50,
      },
    },
  }),
);
