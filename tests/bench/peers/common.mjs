// What the Node peers share: the message, how it is posted, and how the bench starts and times them.
import { createInterface } from 'node:readline';
import { Pool } from 'undici';

export const [url, database, countText, windowText] = process.argv.slice(2);
export const count = Number(countText);
export const window = Number(windowText);

const { origin, pathname } = new URL(url);
// One connection for each message in flight. node:http spends a quarter more CPU for a request, fetch() four times as much.
const pool = new Pool(origin, { connections: window, pipelining: 1 });

/** Send one message: the same body and headers as Retoma's transport `webhook`. */
export async function send(number) {
  const id = number.toString(16).padStart(32, '0');
  const text = `Olá Ana ${number}, seu pedido ${number} chegou. Responda SAIR para não receber mais.`;
  const to = `+999${number.toString().padStart(9, '0')}`;
  const { statusCode, body } = await pool.request({
    path: pathname,
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'Idempotency-Key': id },
    body: JSON.stringify({ id, to, text }),
  });
  await body.json();
  if (statusCode !== 200) throw new Error(`the sink answered ${statusCode}`);
}

export const numbers = Array.from({ length: count }, (_, index) => index);

/** Say that all is enqueued, wait for the start, do the work, report the greatest memory in megabytes. */
export async function whenTold(work) {
  const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
  console.log('ready');
  await lines.next();
  await work();
  console.log(process.resourceUsage().maxRSS / 1024);
  await lines.next();
  process.exit(0);
}
