// `crossdock test` over flows whose files say what answers mean, and how to look for lost work.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withProject } from '../support/definition-project.ts';
import { runCrossdock } from '../support/run-crossdock.ts';

const files = {
  'connectors/shop.yaml': 'receive: { verify: none, topic: { header: X-Topic } }\n',
  'connectors/erp.yaml': `kind: http
baseUrl: https://erp.example
operations:
  create:
    post: /orders
    outcomes: [{ status: 400, when: "body.code = 'DUP'", then: delivered }]
    lookup: { operation: find, found: "$exists(body.number)" }
  find: { get: "/orders/{id}" }
`,
  'connectors/mail.yaml': `kind: smtp
host: mail.example
from: hub@shop.example
operations:
  send: { outcomes: [{ status: 550, then: delivered }] }
`,
  'flows/order.yaml': 'from: { connector: shop, topics: [a] }\nto: erp.create\n',
  'flows/mail.yaml': 'from: { connector: shop, topics: [a] }\nto: mail.send\n',
  'flows/mail.test.yaml': `
- name: takes a mailbox that is gone for delivered
  webhook: { connector: shop, topic: a, body: { id: 1 } }
  answers: { mail.send: [{ status: 550 }] }
  expect: { state: delivered, attempts: 1 }
`,
  'flows/order.test.yaml': `
- name: takes a duplicate for delivered
  webhook: { connector: shop, topic: a, body: { id: 1 } }
  answers: { erp.create: [{ status: 400, body: { code: DUP } }] }
  expect: { state: delivered, attempts: 1 }
- name: looks for what may have worked, and does not send it again
  webhook: { connector: shop, topic: a, body: { id: 1 } }
  answers:
    erp.create: [{ error: connection }]
    erp.find: [{ status: 503 }, { status: 200, body: { number: SO-1 } }]
  expect:
    state: delivered
    attempts: 3
    requests:
      - { to: erp.create }
      - { to: erp.find, method: GET, path: /orders/1 }
      - { to: erp.find }
- name: sends again what is not there
  webhook: { connector: shop, topic: a, body: { id: 1 } }
  answers:
    erp.create: [{ error: timeout }, { status: 201 }]
    erp.find: [{ status: 404 }]
  expect:
    state: delivered
    attempts: 2
    requests: [{ to: erp.create }, { to: erp.find }, { to: erp.create }]
- name: rests without spending while there are too many calls
  webhook: { connector: shop, topic: a, body: { id: 1 } }
  answers: { erp.create: [{ status: 429 }] }
  expect: { state: retrying, attempts: 30, error: rate-limited }
- name: holds what is gone
  webhook: { connector: shop, topic: a, body: { id: 1 } }
  answers: { erp.create: [{ status: 410 }] }
  expect: { state: held, attempts: 1, error: operation-gone }
`,
};

test('outcomes, lookups, rests and holds are tried as the engine does them', async () => {
  await withProject(files, async (folder) => {
    const { code, stdout } = await runCrossdock(['test'], { project: folder });
    assert.equal(code, 0, stdout);
    assert.match(stdout, /6 passed/);
  });
});
