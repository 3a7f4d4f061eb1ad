// graphile-worker with the batching of its page on performance: a local queue, and completions in batches.
// Sizes from 300 to 2,000 and delays from 0 to 50 ms cost about the same; these the least.
import { Logger, makeWorkerUtils, runOnce } from 'graphile-worker';
import { database, numbers, send, whenTold, window } from './common.mjs';

const logger = new Logger(() => (level, text) => {
  if (level === 'error') console.error(text);
});
const utils = await makeWorkerUtils({ connectionString: database, logger });
await utils.migrate();
await utils.addJobs(numbers.map((number) => ({ identifier: 'send', payload: { number } })));
await utils.release();

await whenTold(() =>
  runOnce({
    logger,
    noHandleSignals: true,
    taskList: { send: ({ number }) => send(number) },
    preset: {
      worker: {
        connectionString: database,
        concurrentJobs: window,
        // The few connections that batches need: the local queue fetches, and all else is completions.
        maxPoolSize: 25,
        localQueue: { size: 2_000 },
        completeJobBatchDelay: 50,
        failJobBatchDelay: 50,
      },
    },
  }),
);
