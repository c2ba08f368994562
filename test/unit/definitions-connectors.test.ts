import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ConnectorDefinition } from '../../src/definitions/definitions.ts';
import type { LoadOptions } from '../../src/definitions/load-definitions.ts';
import { errorsOf, linesOf, load, loadFiles, withProject } from '../support/definition-project.ts';

const hook = `receive:
  verify: { hmac: sha1, header: [X-Sig, X-Old-Sig], encoding: hex, prefix: "sha1=" }
  secrets: [ "\${HOOK_SECRET}", "\${HOOK_SECRET_OLD:}" ]
  topic: { header: X-Topic }
  dedupe: { header: X-Id }
  bodyMax: 64kb
`;
const web = `kind: web
baseUrl: https://web.example
operations: { send: { post: /send } }
`;

async function loadOne(text: string, options: Partial<LoadOptions> = {}) {
  const result = await loadFiles({ 'connectors/one.yaml': text }, options);
  return { result, one: result.definitions?.connectors.get('one') };
}

async function errors(text: string, environment: LoadOptions['environment'] = {}) {
  return errorsOf((await loadOne(text, { environment })).result);
}

test('a receiver has its headers in lower case and only the secrets that are set', async () => {
  const { one } = await loadOne(hook, { environment: { HOOK_SECRET: 'one-two-three' } });
  assert.deepEqual(one?.receive, {
    verify: {
      kind: 'signature',
      algorithm: { family: 'hmac', hash: 'sha1' },
      signature: [
        { from: 'header', name: 'x-sig' },
        { from: 'header', name: 'x-old-sig' },
      ],
      encoding: 'hex',
      prefix: 'sha1=',
      signs: [{ kind: 'token', token: 'body' }],
      key: { kind: 'text' },
      secrets: [{ value: 'one-two-three' }],
      equal: [],
    },
    topic: [{ from: 'header', name: 'x-topic' }],
    dedupe: [{ from: 'header', name: 'x-id' }],
    occurredAt: [],
    shop: [],
    schedules: [],
    handshakes: [],
    answer: { status: 200, refused: 401 },
    limits: { bytesMax: 65_536, depthMax: 100, keysMax: 10_000, eventsMax: 1_000 },
    quarantine: { keep: 'sample', countMax: 500, bytesMax: 20_971_520, ageMsMax: 604_800_000 },
  });
});

test('a receiver without dedupe and bodyMax goes by the body, up to one mebibyte', async () => {
  const { one, result } = await loadOne('receive: { verify: none, topic: { is: order.created } }');
  assert.equal(one?.receive?.dedupe, undefined);
  assert.equal(one?.receive?.limits.bytesMax, 1_048_576);
  assert.deepEqual(one.receive.topic, [{ from: 'is', text: 'order.created' }]);
  assert.deepEqual(linesOf(result), [
    'warning connectors/one.yaml:1:20 unverified-receiver takes webhooks from anybody',
  ]);
});

test('a receiver that does not say how it verifies is refused', async () => {
  assert.deepEqual(await errors('receive:\n  topic: { is: a }\n'), [
    'connectors/one.yaml:1:1 missing-field "verify" is missing in "receive" (How the sender proves that a webhook is its own; "none" must be spelled out)',
  ]);
});

test('a signature without any secret is a mistake and never a pass', async () => {
  const secretless = hook.replace('HOOK_SECRET}', 'HOOK_SECRET:}');
  for (const text of [
    secretless,
    hook.replace(/ {2}secrets.*\n/, ''),
    hook.replace(/\[ .*\]/, '[]'),
  ]) {
    const [first, ...others] = await errors(text);
    assert.match(
      first ?? '',
      /^connectors\/one\.yaml:\d:\d secret-missing signatures are verified/,
    );
    assert.deepEqual(others, []);
  }
  assert.match((await errors(secretless, { HOOK_SECRET: ' ' }))[0] ?? '', /secret-missing/);
});

test('an unset secret is reported once, as unset', async () => {
  assert.deepEqual(await errors(hook), [
    `connectors/one.yaml:3:14 variable-unset the variable HOOK_SECRET is not set (set it, or write \${HOOK_SECRET:default})`,
  ]);
});

test('an empty variable counts as one that is not set', async () => {
  assert.match((await errors(hook, { HOOK_SECRET: '' }))[0] ?? '', /variable-unset/);
});

test('all unset variables of a file are named at once, and nothing else is made of them', async () => {
  const text = `kind: web\nbaseUrl: \${A_URL}/x\nport: \${A_PORT}\noperations: { send: { post: "\${A_PATH}" } }\n`;
  const found = await errors(text);
  assert.deepEqual(
    found.map((line) => line.split(' (')[0]),
    [
      'connectors/one.yaml:2:10 variable-unset the variable A_URL is not set',
      'connectors/one.yaml:3:7 variable-unset the variable A_PORT is not set',
      'connectors/one.yaml:4:29 variable-unset the variable A_PATH is not set',
    ],
  );
});

test('an unquoted variable is read as a number where one is wanted, and stays text elsewhere', async () => {
  const text = `${web}title: \${TITLE}\nport: \${PORT:8443}\nlimits:\n  concurrency: \${N}\nauth:\n  bearer: \${A_TOKEN}\n`;
  const { one } = await loadOne(text, {
    environment: { TITLE: '007', N: '4', A_TOKEN: '0012345' },
  });
  assert.equal(one?.title, '007');
  assert.equal(one.fields['port'], 8_443);
  assert.equal(one.limits.concurrency, 4);
  assert.deepEqual(one.fields['auth'], { bearer: '0012345' });
  assert.deepEqual(one.secrets, ['0012345']);
});

test('a quoted variable is never read as a number', async () => {
  const found = await errors(`${web}port: "\${PORT:8443}"\n`);
  assert.deepEqual(found, [
    'connectors/one.yaml:4:7 wrong-type "port" must be a whole number, not text (write the variable without quotes, on a line of its own)',
  ]);
});

test('an unquoted variable inside brackets is wrong YAML, and the hint says why', async () => {
  const [first] = await errors(`${web}limits: { concurrency: \${N:4} }\n`);
  assert.match(first ?? '', /4:25 yaml-syntax .* \(inside \{ \} and \[ \] a variable needs quotes/);
});

test('a doubled dollar sign stands for a plain one, and half a variable is a mistake', async () => {
  const { one } = await loadOne(`${web}description: d\ntitle: "$\${NAME} \${A:b}"\n`);
  assert.equal(one?.title, `\${NAME} b`);
  const found = await errors(`${web}title: "\${NAME"\ndocs: "https://\${a-b}"\n`);
  assert.deepEqual(
    found.map((line) => line.split(' (')[0]),
    [
      `connectors/one.yaml:4:8 variable-malformed \${ is not a variable`,
      `connectors/one.yaml:5:7 variable-malformed \${a-b} is not a variable`,
    ],
  );
});

test('a result expression is left as it is written, and a variable in it is pointed out', async () => {
  const text = web.replace('/send }', `/send, result: '\${PORT:1}' }`);
  const { one, result } = await loadOne(text);
  assert.equal(one?.operations.get('send')?.result?.source, `\${PORT:1}`);
  assert.deepEqual(
    linesOf(result).map((line) => line.split(' ', 3).join(' ')),
    [
      'warning connectors/one.yaml:1:1 unused-file',
      'warning connectors/one.yaml:3:44 variable-in-expression',
    ],
  );
});

test('a secret in clear is refused, also a number and one of several, without being repeated', async () => {
  const text = `${hook.replace(`"\${HOOK_SECRET_OLD:}"`, 'canary-4711')}${web}auth: { basic: { user: u, password: 47114711 } }\n`;
  const found = await errors(text, { HOOK_SECRET: 'from-environment' });
  assert.deepEqual(
    found.map((line) => line.split(' is a secret')[0]),
    [
      'connectors/one.yaml:3:32 secret-in-clear "receive.secrets.1"',
      'connectors/one.yaml:10:37 wrong-type "auth.basic.password" must be text, not a number',
      'connectors/one.yaml:10:37 secret-in-clear "auth.basic.password"',
    ],
  );
  assert.doesNotMatch(found.join('\n'), /4711/);
});

test('a definition knows all its secrets, longest first, and none below four characters', async () => {
  const text = `${hook}${web.replace('web.example', `web.example/\${API_KEY}`)}auth: { bearer: "Token \${T}" }\n`;
  const environment = {
    HOOK_SECRET: 'abc',
    HOOK_SECRET_OLD: 'abcd',
    API_KEY: 'key-in-address',
    T: 'short',
  };
  const { one } = await loadOne(text, { environment });
  assert.deepEqual(one?.secrets, ['key-in-address', 'Token short', 'abcd']);
});

test('of several ways to say a thing the nearest one is explained', async () => {
  assert.deepEqual(await errors(`${web}auth: { barer: "\${X:}" }\n`), [
    'connectors/one.yaml:4:9 unknown-field "barer" is not a field of "auth" (did you mean "bearer"?)',
  ]);
  assert.deepEqual(await errors(`${web}auth: {}\n`), [
    'connectors/one.yaml:4:1 missing-field "auth" needs one of "bearer", "basic"',
  ]);
  assert.deepEqual(await errors(`${web}auth: { basic: { user: 1 } }\n`), [
    'connectors/one.yaml:4:9 missing-field "password" is missing in "auth.basic" (The password)',
    'connectors/one.yaml:4:24 wrong-type "auth.basic.user" must be text, not a number',
  ]);
  assert.deepEqual(await errors(`${web}auth: bearer\n`), [
    'connectors/one.yaml:4:7 wrong-type "auth" must be a mapping',
  ]);
});

test('a kind may complain about what its schema cannot say', async () => {
  assert.deepEqual(await errors(web.replace('/send }', '/a//b }')), [
    'connectors/one.yaml:3:29 web-path has an empty step',
  ]);
});

test('an unknown kind, a missing kind and a missing purpose are mistakes', async () => {
  assert.deepEqual(await errors(web.replace('kind: web', 'kind: wep')), [
    'connectors/one.yaml:1:7 wrong-value "kind" must be one of web (did you mean "web"?)',
  ]);
  assert.deepEqual(await errors(web.replace('kind: web\n', '')), [
    'connectors/one.yaml:1:1 unknown-field "baseUrl" is not a field of this file (add "kind: web")',
    'connectors/one.yaml:2:1 missing-field operations need a "kind" (such as kind: http)',
  ]);
  assert.match(
    (await errors('title: nothing\n'))[0] ?? '',
    /missing-field .* \(add receive or kind\)/,
  );
  assert.match(
    (await errors('- a\n'))[0] ?? '',
    /1:1 wrong-type the file must be a mapping of fields/,
  );
  assert.match((await errors(''))[0] ?? '', /1:1 wrong-type/);
});

test('timeouts and body limits stay within their bounds', async () => {
  assert.deepEqual(await errors(`${web}timeout: 500ms\n`), [
    'connectors/one.yaml:4:10 wrong-value "timeout" must be from 1s to 120s',
  ]);
  assert.match((await errors(`${web}timeout: 3m\n`))[0] ?? '', /from 1s to 120s/);
  const big = hook.replace('64kb', '11mb');
  assert.deepEqual(await errors(big, { HOOK_SECRET: 'abcdef' }), [
    'connectors/one.yaml:6:12 wrong-value "receive.bodyMax" must be from 1b to 10mb',
  ]);
});

test('a name of the prototype is an unknown field like any other', async () => {
  const found = await errors(`${web}__proto__: 1\nconstructor: 2\n`);
  assert.deepEqual(
    found.map((line) => line.split(' is not')[0]),
    [
      'connectors/one.yaml:4:1 unknown-field "__proto__"',
      'connectors/one.yaml:5:1 unknown-field "constructor"',
    ],
  );
});

test('the shop of the catalogue takes both families of headers', async () => {
  const shop = await loadShop(`uses: shopify
settings: { shop: a.myshopify.com }
receive: { secrets: ["\${S_SECRET}"] }
`);
  const { verify } = shop?.receive ?? {};
  assert.ok(verify?.kind === 'signature');
  assert.deepEqual(verify.algorithm, { family: 'hmac', hash: 'sha256' });
  assert.deepEqual(verify.secrets, [{ value: 'shared-secret' }]);
  const dedupe = shop?.receive?.dedupe?.map((step) => 'name' in step && step.name);
  assert.deepEqual(dedupe, ['x-shopify-webhook-id', 'shopify-webhook-id']);
  assert.equal(shop?.title, 'Shopify');
});

test('fields of a file win over those of its catalogue entry, one by one', async () => {
  const shop = await loadShop(`uses: shopify
title: The outlet
settings: { shop: a.myshopify.com }
receive: { secrets: ["\${S_SECRET}"], topic: { is: everything }, bodyMax: 1kb }
`);
  assert.equal(shop?.title, 'The outlet');
  assert.deepEqual(shop.receive?.topic, [{ from: 'is', text: 'everything' }]);
  assert.equal(shop.receive.limits.bytesMax, 1_024);
  assert.deepEqual(shop.receive.shop, [
    { from: 'header', name: 'x-shopify-shop-domain' },
    { from: 'header', name: 'shopify-shop-domain' },
  ]);
});

test('mistakes with the catalogue stand in the file of the person', async () => {
  assert.deepEqual(await errors('uses: shopfy\n'), [
    'connectors/one.yaml:1:7 unknown-catalogue-entry the catalogue has no entry "shopfy" (did you mean "shopify"?)',
  ]);
  const found = await errors('uses: shopify\nsettings: { shpo: a, accessToken: shpat_1 }\n');
  assert.deepEqual(
    found.map((line) => line.split(' (')[0]),
    [
      'connectors/one.yaml:1:7 secret-missing signatures are verified, but there is no secret to do it with',
      'connectors/one.yaml:2:1 missing-setting the setting "shop" is missing',
      'connectors/one.yaml:2:13 unknown-setting the entry has no setting "shpo"',
      'connectors/one.yaml:2:35 secret-in-clear the setting "accessToken" is a secret and is written in clear',
    ],
  );
  assert.match(
    (await errors(`${web}settings: { a: 1 }\n`))[0] ?? '',
    /4:1 unknown-field "settings"/,
  );
});

test('settings fill the places of an entry, with their types, and secret ones are secrets', async () => {
  const entry = `title: Web shop
settings:
  host: { description: The host., required: true }
  port: { description: The port. }
  token: { description: The token., secret: true }
kind: web
baseUrl: https://\${settings.host}
port: \${settings.port:99}
docs: https://docs.example/\${settings.port:}
auth: { bearer: "\${settings.token}" }
operations: { send: { post: /send }, fetch: { post: /fetch } }
`;
  const file = `uses: webshop\nsettings: { host: h.example, token: "\${TK}" }\noperations: { send: { post: /other } }\n`;
  const files = { 'connectors/one.yaml': file, 'catalog/webshop.yaml': entry };
  await withProject(files, async (folder) => {
    const { definitions } = await load(folder, {
      catalogFolder: `${folder}/catalog`,
      environment: { TK: 'tk-canary' },
    });
    const one = definitions?.connectors.get('one');
    assert.deepEqual(one?.fields, {
      baseUrl: 'https://h.example',
      port: 99,
      auth: { bearer: 'tk-canary' },
    });
    assert.deepEqual(
      [...one.operations.values()],
      [
        { name: 'send', fields: { post: '/other' } },
        { name: 'fetch', fields: { post: '/fetch' } },
      ],
    );
    assert.deepEqual(one.secrets, ['tk-canary']);
  });
});

async function loadShop(text: string): Promise<ConnectorDefinition | undefined> {
  const environment = { S_SECRET: 'shared-secret' };
  const { one, result } = await loadOne(text, { environment });
  assert.deepEqual(linesOf(result), []);
  return one;
}

test('a connector says how its lane is shared, and which operation checks that it is back', async () => {
  const text = `${web}limits: { fairBy: $event.shop }\ncheck: send\n`;
  const { one } = await loadOne(text);
  assert.equal(one?.limits.fairBy, '$event.shop');
  assert.equal(one.check, 'send');
});

test('a check that is no operation of the file is refused, and the nearest is named', async () => {
  assert.deepEqual(await errors(`${web}check: sent\n`), [
    'connectors/one.yaml:4:8 unknown-operation there is no operation "sent" in this file (did you mean "send"?)',
  ]);
});
