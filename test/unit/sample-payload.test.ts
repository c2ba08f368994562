import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { withPlaceholders } from '../../src/cli/placeholder-variables.ts';
import { samplePayload } from '../../src/cli/sample-payload.ts';
import { packageRoot } from '../../src/config/package-root.ts';
import type { Definitions } from '../../src/definitions/definitions.ts';
import { loadProject } from '../../src/load-project.ts';
import type { Program } from '../../src/model/flow-revision.ts';
import { runProgram } from '../support/evaluate.ts';

const sample = samplePayload(new Date('2026-11-22T09:14:37Z')).toString();
let reference: Definitions;

before(async () => {
  const variables = await withPlaceholders(packageRoot, {});
  const { definitions } = await loadProject({ folder: packageRoot, variables });
  assert.ok(definitions);
  reference = definitions;
});

function programOf(flow: string): Program {
  const found = reference.flows.get(flow);
  assert.ok(found, flow);
  return found.revision.program;
}

/** The message that a program makes of `body`, as text; fails where it makes none. */
async function messageOf(program: Program, body: string, sent?: string): Promise<string> {
  const answer = await runProgram(program, body, sent === undefined ? {} : { sent });
  assert.equal(answer.kind, 'mapped', JSON.stringify(answer));
  return answer.kind === 'mapped' ? answer.output : '';
}

test('the built-in sample becomes a sales order that adds up and fits its schema', async () => {
  const { lines, totals } = JSON.parse(await messageOf(programOf('order-to-erp'), sample));
  assert.deepEqual(totals, {
    goods: '39.90',
    shipping: '0.00',
    orderDiscount: '0.00',
    tax: '6.37',
    total: '39.90',
    rounding: '0.00',
  });
  assert.equal(lines.length, 1);
  assert.equal(lines[0].total, '39.90');
  assert.deepEqual(lines[0].taxes, [{ name: 'VAT', rate: '0.19', amount: '6.37' }]);
});

test('the built-in sample becomes a confirmation with its sums', async () => {
  const mail = JSON.parse(await messageOf(programOf('order-to-mail'), sample));
  assert.equal(mail.to, 'jo@example.com');
  assert.match(mail.text, /2 x Sample: 39\.90 EUR\n/);
  assert.match(mail.text, /Total, tax included: 39\.90 EUR\n +Tax in it: 6\.37 EUR\n/);
  assert.match(mail.text, /1 Example Street\n +10115 Berlin\n +Germany\n/);
});

test("the ERP's answer to the built-in sample becomes the mail with its number", async () => {
  const sent = await messageOf(programOf('order-to-erp'), sample);
  const result = reference.connectors.get('erp')?.operations.get('createSalesOrder')?.result;
  assert.ok(result);
  const event = await messageOf({ map: result }, '{"number":"SO-1"}', sent);
  const { name } = JSON.parse(sample) as { name: string };
  const mail = JSON.parse(await messageOf(programOf('order-number-to-mail'), event));
  assert.equal(mail.to, 'jo@example.com');
  assert.equal(mail.subject, `Your order ${name} has the number SO-1`);
  assert.match(mail.text, /^Hello Jo Sample,/);
});
