// The pages that Bull Board's links lead to: an event and a delivery, for people.

import { outcomeWords, type Story } from '../delivery/story.ts';
import type { AttemptView, ChangeView, ConflictView } from '../journal/journal.ts';
import type { Json } from '../model/json.ts';
import { type BodyText, bodyText, type DeliveryDetail, type EventDetail } from './event-view.ts';
import { type Html, html } from './html.ts';

/** Characters of a body that a page shows; the JSON answer has all of it. */
const SHOWN_LENGTH_MAX = 262_144;

export function eventPage(detail: EventDetail): Html {
  const { event, body, state, deliveries, conflicts } = detail;
  const headers = Object.entries(event.headers);
  return html`${facts([
    ['State', state],
    ['Source', event.source],
    ['Topic', event.topic],
    ['Key', event.dedupeKey],
    ['Shop', event.shop],
    ['Received', event.receivedAt],
    ['Occurred', event.occurredAt],
    ['Unreadable', detail.unreadable],
    ['Bytes', event.body.length],
    ['SHA-256', event.sha256],
    ['Result of', event.causeId === undefined ? undefined : link('deliveries', event.causeId)],
  ])}
<h2>Deliveries</h2>
${deliveries.length === 0 ? html`<p>No flow takes events of this topic.</p>` : deliveries.map((one) => html`<h3>${link('deliveries', one.delivery.id)}</h3>${deliveryTables(one)}`)}
<h2>Body</h2>
${bodyBlock(body)}
${conflicts.length === 0 ? undefined : html`<h2>Other bodies under the same key</h2>${conflicts.map(conflictBlock)}`}
<h2>Headers</h2>
${facts(headers)}`;
}

export function deliveryPage(detail: DeliveryDetail): Html {
  const { delivery } = detail;
  return html`${facts([
    ['Event', link('events', delivery.eventId)],
    ['Source', delivery.source],
    ['Topic', delivery.topic],
    ['Key', delivery.key],
  ])}
${deliveryTables(detail)}
${detail.attempts.map(exchangeBlocks)}`;
}

function deliveryTables(detail: DeliveryDetail): Html {
  const { delivery, attempts, changes, story } = detail;
  return html`${facts([
    ['State', html`<span class="state">${detail.state}</span>`],
    ['Reason', detail.reason],
    ['Code', delivery.code],
    ['Flow', delivery.flow],
    ['To', `${delivery.connector}.${delivery.operation}`],
    ['Attempts', delivery.attempts],
    ['Due', delivery.dueAt],
    ['Result', delivery.result],
    ['Idempotency key', delivery.idempotencyKey],
    [
      'Replay of',
      delivery.replayOf === undefined ? undefined : link('deliveries', delivery.replayOf),
    ],
  ])}
${storyTable(story)}
${
  attempts.length === 0
    ? undefined
    : html`<table>
<tr><th>Attempt</th><th>Started</th><th>Took</th><th>Outcome</th><th>Status</th><th>Reason</th></tr>
${attempts.map(attemptRow)}
</table>`
}
${
  changes.length === 0
    ? undefined
    : html`<table>
<tr><th>Changed</th><th>To</th><th>By</th><th>Reason</th></tr>
${changes.map(changeRow)}
</table>`
}`;
}

function storyTable({ lines, now, todo }: Story): Html {
  const rows = lines.map(
    ({ at, text }) => html`<tr><td>${at.toISOString()}</td><td>${text}</td></tr>
`,
  );
  return html`<table>
<tr><th>When</th><th>What happened</th></tr>
${rows}<tr><td>now</td><td>${now}</td></tr>
${todo === undefined ? undefined : html`<tr><td>to do</td><td>${todo}</td></tr>`}
</table>`;
}

function attemptRow(attempt: AttemptView): Html {
  const words = outcomeWords(attempt);
  const outcome = attempt.ambiguous ? `${words}, perhaps done` : words;
  return html`<tr><td>${attempt.number}</td><td>${attempt.startedAt.toISOString()}</td>
<td>${attempt.durationMs} ms</td><td>${outcome}</td><td>${attempt.status}</td>
<td>${attempt.code} ${attempt.reason}</td></tr>
`;
}

function changeRow(change: ChangeView): Html {
  return html`<tr><td>${change.at.toISOString()}</td><td>${change.to}</td><td>${change.by}</td>
<td>${change.reason}</td></tr>
`;
}

function exchangeBlocks(attempt: AttemptView): Html {
  const block = (name: string, value: Json | undefined): Html | undefined =>
    value === undefined
      ? undefined
      : html`<h3>${name} of attempt ${attempt.number}</h3><pre>${shown(JSON.stringify(value, null, 2))}</pre>`;
  return html`${block('Request', attempt.request)}${block('Response', attempt.response)}`;
}

function conflictBlock({ receivedAt, bytes, sha256, headers, body }: ConflictView): Html {
  const note = `${receivedAt.toISOString()}, ${bytes} bytes, SHA-256 ${sha256}`;
  return html`<p>${note}</p>${bodyBlock(bodyText(headers, body))}`;
}

function bodyBlock(body: BodyText): Html {
  const note = {
    json: 'JSON',
    text: 'Text that is no JSON',
    base64: 'Bytes that are no text, as base64',
  };
  return html`<p>${note[body.kind]}</p><pre>${shown(body.text)}</pre>`;
}

function shown(text: string): string {
  return text.length > SHOWN_LENGTH_MAX ? `${text.slice(0, SHOWN_LENGTH_MAX)}…` : text;
}

type Fact = readonly [string, string | number | Date | Html | undefined];

function facts(rows: readonly Fact[]): Html {
  const known = rows.flatMap(([name, value]) =>
    value === undefined
      ? []
      : [
          html`<tr><th>${name}</th><td>${value instanceof Date ? value.toISOString() : value}</td></tr>
`,
        ],
  );
  return html`<table>${known}</table>`;
}

function link(kind: 'events' | 'deliveries', id: string): Html {
  return html`<a href="/${kind}/${id}">${id}</a>`;
}
