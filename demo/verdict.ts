// What came of the whole demo: the table that everybody sees, and the faults that make `--once`
// fail. Both are judged by what the systems around the hub hold.

import { formatTable } from '../src/cli/table.ts';
import { countOf } from '../src/cli/terminal.ts';
import { isTaken, type OrderScore } from './scoreboard.ts';
import type { SalesOrder } from './stand-in-erp.ts';
import type { Mail } from './stand-in-mailbox.ts';

export interface Evidence {
  readonly scores: readonly OrderScore[];
  readonly salesOrders: readonly SalesOrder[];
  readonly mails: readonly Mail[];
  /** How the hub answered a webhook with a wrong signature. */
  readonly forgedStatus: number;
}

export function formatVerdict(evidence: Evidence): readonly string[] {
  const { scores, salesOrders, forgedStatus } = evidence;
  const posted = scores.flatMap((score) => score.posted ?? []);
  const answers = scores.flatMap(({ erp }) => erp);
  const troubles = answers.filter((answer) => !isTaken(answer));
  const repeats = answers.filter((answer) => isTaken(answer) && !answer.created);
  const slow = answers.filter((answer) => answer.slow).length;
  const events = new Set(posted.map(({ eventId }) => eventId)).size;
  const sum = (count: (score: OrderScore) => number) =>
    scores.reduce((total, score) => total + count(score), 0);
  const rows: readonly (readonly [string, number, string])[] = [
    ['orders in', scores.length, `${posted.length} webhooks, ${countOf(events, 'event')}`],
    ['sales orders in the ERP', salesOrders.length, `${answers.length} calls, ${slow} slow`],
    ['confirmations received', sum((score) => score.confirmations), ''],
    ['mails with the ERP number', sum((score) => score.numberMails), ''],
    ['lines in the archive', sum((score) => score.archived), ''],
    ['retries', troubles.length, tally(troubles.map(({ status }) => String(status)))],
    [
      'repeats that the ERP knew',
      repeats.length,
      tally(repeats.map(({ status }) => String(status))),
    ],
    ['duplicates answered', posted.length - events, 'with the id of the first'],
    ['forgeries refused', forgedStatus === 401 ? 1 : 0, `status ${forgedStatus}`],
  ];
  return formatTable(
    ['', 'count', ''],
    rows.map(([what, count, remark]) => [what, String(count).padStart(5), remark]),
  );
}

/** One sentence for each thing that is not as it should be. */
export function findFaults(evidence: Evidence): readonly string[] {
  const { scores, salesOrders, mails, forgedStatus } = evidence;
  const faults = scores.flatMap((score) => [
    ...orderFaults(score).map((fault) => `${score.order.name}: ${fault}`),
    ...salesOrderFaults(score, salesOrders).map((fault) => `${score.order.name}: ${fault}`),
  ]);
  const mailsExpected = scores.reduce((sum, one) => sum + one.confirmations + one.numberMails, 0);
  if (mails.length !== mailsExpected) {
    faults.push(`${mails.length} mails came, ${mailsExpected} of them about these orders`);
  }
  if (salesOrders.length !== scores.length) {
    faults.push(`${salesOrders.length} sales orders in the ERP for ${scores.length} orders`);
  }
  if (forgedStatus !== 401) faults.push(`a forged webhook was answered ${forgedStatus}, not 401`);
  return faults;
}

function orderFaults(score: OrderScore): readonly string[] {
  const faults: string[] = [];
  const expectOne = (what: string, count: number) => {
    if (count !== 1) faults.push(`${what}: ${count} instead of 1`);
  };
  expectOne('sales orders made', score.created);
  expectOne('confirmations', score.confirmations);
  expectOne('mails with the ERP number', score.numberMails);
  expectOne('lines in the archive', score.archived);
  if (score.posted === undefined) faults.push('the shop is still posting it');
  for (const { topic, status } of score.posted ?? []) {
    if (status !== 200) faults.push(`${topic} was answered ${status}`);
  }
  for (const topic of ['orders/create', 'orders/paid']) {
    const posted = (score.posted ?? []).filter((one) => one.topic === topic);
    const ids = new Set(posted.map(({ eventId }) => eventId));
    if (ids.size > 1) faults.push(`${topic} was one webhook and became ${ids.size} events`);
  }
  return faults;
}

function salesOrderFaults(
  { order }: OrderScore,
  salesOrders: readonly SalesOrder[],
): readonly string[] {
  const made = salesOrders.find(({ externalId }) => externalId === order.id);
  if (made === undefined) return ['the ERP does not know its id'];
  const { total } = JSON.parse(made.body).totals;
  return total === order.total ? [] : [`its total is ${order.total}, and ${total} in the ERP`];
}

/** `429 ×3, 503 ×1`. */
function tally(words: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return [...counts].map(([word, count]) => `${word} ×${count}`).join(', ');
}
