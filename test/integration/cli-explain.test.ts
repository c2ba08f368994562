import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deliveryStates } from '../../src/model/delivery.ts';
import { outcomeRules } from '../../src/model/outcome-rules.ts';
import { runCrossdock } from '../support/run-crossdock.ts';

test('an outcome is explained with its class and rule, and what to do', async () => {
  const { code, stdout } = await runCrossdock(['explain', 'rate-limited']);
  assert.equal(code, 0);
  assert.match(stdout, /^rate-limited +Too many calls \(an outcome of an attempt\)\n/);
  assert.match(stdout, /\nthen +rest: /);
  assert.match(stdout, /\nwhat to do +Lower limits\.rate/);
});

test('classes, rules, what holds a lane, states of problems and topics are explained', async () => {
  for (const [word, text] of [
    [
      'connection',
      /^connection +a class of outcomes\n.*\nthen +retry: .*\ncodes +connection-failed\n/s,
    ],
    ['wait', /^wait +a rule of outcomes\n.*\nclasses +configuration, hub\n/s],
    ['breaker-open', /^breaker-open +how a lane is.*\nwhat to do +Nothing, if it passes/s],
    ['acknowledged', /^acknowledged +a state of a problem\nmeaning +Somebody looks\.\n/],
    ['crossdock.lane-opened', /^lane-opened +a topic of the hub's own events\n/],
    ['rate-limited', / outcome of an attempt\).*\n\nrate-limited +a class of outcomes\n/s],
  ] as const) {
    assert.match((await runCrossdock(['explain', word])).stdout, text);
  }
});

test('without a word it lists all, by what they are of', async () => {
  const { stdout } = await runCrossdock(['explain']);
  const headings = stdout.split('\n').filter((line) => /^[A-Z]/.test(line) && !/^CODE /.test(line));
  assert.equal(headings.length, 9);
  assert.match(stdout, /\nCLASSES OF OUTCOMES\nCODE +MEANING\nconnection +There was no connection/);
});

test('states, errors and problems of files are explained too', async () => {
  for (const [code, text] of [
    ['held', /^held +a state of a delivery\n/],
    ['journal-unavailable', /^journal-unavailable +an error of the hub\n.*\nexit status +3\n$/s],
    ['unknown-operation', /^unknown-operation +a problem of a file\n/],
  ] as const) {
    assert.match((await runCrossdock(['explain', code])).stdout, text);
  }
});

test('--json is a list of all that has the code, or of everything', async () => {
  const one = await runCrossdock(['explain', 'token-expired', '--json']);
  const [{ meaning, todo, ...rest }] = JSON.parse(one.stdout);
  assert.ok(meaning.length > 0 && todo.length > 0);
  assert.deepEqual(rest, {
    code: 'token-expired',
    family: 'outcome',
    class: 'token',
    title: 'The access token was refused',
    rule: 'refresh',
    ruleMeaning:
      'Tried again with fresh credentials after a second, once without spending an attempt; a second refusal in a row spends.',
  });
  const all: { code: string }[] = JSON.parse((await runCrossdock(['explain', '--json'])).stdout);
  const codes = all.map(({ code }) => code);
  for (const code of [...Object.keys(outcomeRules), ...deliveryStates]) {
    assert.ok(codes.includes(code), code);
  }
});

test('a code that there is not ends with 2 and says which was meant', async () => {
  const { code, stdout, stderr } = await runCrossdock(['explain', 'rate-limted']);
  assert.deepEqual([code, stdout], [2, '']);
  assert.match(stderr, /there is no code or word "rate-limted"; did you mean "rate-limited"\?/);
});
