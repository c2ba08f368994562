// `handshakes:` and `answer:` in files: names, options, secrets, and what goes with what.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { packageRoot } from '../../src/config/package-root.ts';
import { handshakeNames } from '../../src/definitions/handshake-names.ts';
import type { LoadOptions } from '../../src/definitions/load-definitions.ts';
import { errorsOf, loadFiles } from '../support/definition-project.ts';

const environment = { HOOK_SECRET: 'hook-secret', VERIFY: 'verify-token' };

function fileWith(rest: string, verify = '{ hmac: sha1, header: X-Sig, encoding: hex }'): string {
  return `receive:
  verify: ${verify}
  secrets: [ "\${HOOK_SECRET}" ]
  topic: { header: X-Topic }
${rest}`;
}

async function load(text: string, options: Partial<LoadOptions> = {}) {
  const result = await loadFiles({ 'connectors/one.yaml': text }, { environment, ...options });
  return { errors: errorsOf(result), one: result.definitions?.connectors.get('one') };
}

async function firstError(rest: string, verify?: string): Promise<string> {
  const { errors } = await load(fileWith(rest, verify));
  assert.equal(errors.length, 1, errors.join('\n'));
  return errors[0] ?? '';
}

test('handshakes are names, or names with what they are told', async () => {
  const { errors, one } = await load(
    fileWith(`  handshakes:
    - slack-challenge
    - meta-challenge: { token: "\${VERIFY}" }
    - cloudevents-options: { origins: a.example b.example, rate: 600 }
`),
  );
  assert.deepEqual(errors, []);
  assert.deepEqual(one?.receive?.handshakes, [
    { kind: 'slack-challenge', options: {} },
    { kind: 'meta-challenge', options: { token: 'verify-token' } },
    { kind: 'cloudevents-options', options: { origins: 'a.example b.example', rate: '600' } },
  ]);
});

test('a name or an option that does not exist is told, with the one that was meant', async () => {
  assert.match(
    await firstError('  handshakes: [slack-chalenge]\n'),
    /^connectors\/one\.yaml:5:16 wrong-value .*did you mean "slack-challenge"\?/,
  );
  assert.match(
    await firstError(`  handshakes:\n    - meta-chalenge: { token: "\${VERIFY}" }\n`),
    /:6:7 unknown-field "meta-chalenge" .*did you mean "meta-challenge"\?/,
  );
  assert.match(
    await firstError('  handshakes:\n    - cloudevents-options: { rates: 600 }\n'),
    /unknown-field "rates" .*did you mean "rate"\?/,
  );
  assert.match(
    await firstError('  handshakes:\n    - get-ok: { token: a }\n'),
    /unknown-field "token"/,
  );
});

test('what is missing, empty or written otherwise is told', async () => {
  assert.match(
    await firstError('  handshakes: [meta-challenge]\n'),
    /missing-field "token" is missing in the handshake "meta-challenge" \(write - meta-challenge/,
  );
  assert.match(
    await firstError('  handshakes:\n    - meta-challenge: {}\n'),
    /missing-field "token" is missing in "receive\.handshakes\[1\]\.meta-challenge"/,
  );
  assert.match(
    await firstError(`  handshakes:\n    - meta-challenge: { token: "\${NOTHING:}" }\n`),
    /token" is not written in its form/,
  );
  for (const rate of ['0', 'many', '"-1"']) {
    assert.match(
      await firstError(`  handshakes:\n    - cloudevents-options: { rate: ${rate} }\n`),
      /rate" (is not written in its form|must be at least 1)/,
      rate,
    );
  }
  assert.match(
    await firstError('  handshakes: [get-ok, get-ok]\n'),
    /wrong-value "get-ok" is there already/,
  );
});

test('a handshake that rests on something else asks for it', async () => {
  const token = '{ token: { header: X-Token } }';
  assert.match(
    await firstError('  handshakes: [zoom-validation]\n', token),
    /missing-field the handshake ".*" needs a way to verify with "hmac"/,
  );
  const hs = '{ jwt: { header: Authorization, prefix: "Bearer ", algorithms: [HS256] } }';
  for (const verify of [
    token,
    '{ hmac: sha1, header: X-Sig, encoding: hex, signs: "v0:{body}" }',
    `{ any: [ { hmac: sha256, header: X-Sig, encoding: hex }, ${hs} ] }`,
  ]) {
    assert.match(
      await firstError('  handshakes: [x-crc]\n', verify),
      /missing-field the handshake "x-crc" needs "hmac" over "\{body\}" alone/,
    );
  }
  assert.match(await firstError('  handshakes: [sns-confirm]\n'), /needs "verify: \{ scheme: sns/);
  assert.match(await firstError('  handshakes: [mandrill-test]\n'), /needs "url"/);
  const any = `{ any: [ ${token}, { hmac: sha1, header: X-Sig, encoding: hex } ] }`;
  assert.deepEqual((await load(fileWith('  handshakes: [x-crc]\n', any))).errors, []);
});

test('a verify token stands in a variable, is redacted, and need not look like text', async () => {
  assert.match(
    await firstError('  handshakes:\n    - meta-challenge: { token: plainly }\n'),
    /secret-in-clear "receive\.handshakes\.0\.meta-challenge\.token" is a secret/,
  );
  const text = fileWith(`  handshakes:\n    - meta-challenge:\n        token: \${VERIFY}\n`);
  const { errors, one } = await load(text, {
    environment: { ...environment, VERIFY: '0012345678' },
  });
  assert.deepEqual(errors, []);
  assert.equal(one?.receive?.handshakes[0]?.options['token'], '0012345678');
  assert.ok(one.secrets.includes('0012345678'));
});

test('an answer without a body has none, and a type belongs to a body', async () => {
  const { one } = await load(fileWith('  answer: { status: 204 }\n'));
  assert.deepEqual(one?.receive?.answer, { status: 204, body: '', refused: 401 });
  assert.match(
    await firstError('  answer: { status: 204, body: ok }\n'),
    /wrong-value an answer with the status 204 has no body/,
  );
  assert.match(
    await firstError('  answer: { type: text/xml }\n'),
    /wrong-value "type" is of use only beside a "body"/,
  );
});

test('the page on receiving has every handshake', () => {
  const page = readFileSync(join(packageRoot, 'docs', 'receiving.md'), 'utf8');
  for (const name of handshakeNames) assert.ok(page.includes(`| \`${name}\` |`), name);
});
