// pg-boss: batches fetched and completed as arrays by two loops, the fastest of 1 to 10 (each fetch sorts the queue).
// work() would wait for its polling interval, half a second at least, between batches.
import PgBoss from 'pg-boss';
import { count, database, numbers, send, whenTold, window } from './common.mjs';

const LOOPS = 2;

const boss = new PgBoss({ connectionString: database, max: LOOPS });
boss.on('error', (error) => console.error(error));
await boss.start();
await boss.createQueue('send');
for (let first = 0; first < count; first += 10_000) {
  await boss.insert(numbers.slice(first, first + 10_000).map((number) => ({ name: 'send', data: { number } })));
}

async function loop() {
  for (;;) {
    const jobs = await boss.fetch('send', { batchSize: window / LOOPS, priority: false });
    if (jobs.length === 0) return;
    await Promise.all(jobs.map((job) => send(job.data.number)));
    await boss.complete('send', jobs.map((job) => job.id));
  }
}

await whenTold(() => Promise.all(Array.from({ length: LOOPS }, loop)));
