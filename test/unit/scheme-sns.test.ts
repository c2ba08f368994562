// The other side is Amazon's sns-validator, which fetches the certificate from the same server.

import assert from 'node:assert/strict';
import { createSign } from 'node:crypto';
import https from 'node:https';
import { createRequire } from 'node:module';
import { after, before, beforeEach, test } from 'node:test';
import type { PublishedKeys } from '../../src/intake/published-keys.ts';
import { type KeyServer, keysFrom, signer, startKeyServer } from '../support/key-server.ts';
import { receiveOf, verdictOf } from '../support/receiver.ts';

interface Validator {
  validate(message: object, done: (error: Error | null) => void): void;
}

const MessageValidator = createRequire(import.meta.url)('sns-validator') as new () => Validator;

let server: KeyServer;
let keys: PublishedKeys;
const { globalAgent } = https;

before(async () => {
  server = await startKeyServer();
  https.globalAgent = server.agent;
});
beforeEach(() => {
  server.answer(signer.certificate);
  keys = keysFrom(server.agent);
});
after(async () => {
  https.globalAgent = globalAgent;
  await server.close();
});

const topic = 'arn:aws:sns:eu-west-1:123456789012:orders';
const receive = receiveOf({ verify: { scheme: 'sns', topicArns: ['', topic] } });

type Message = Readonly<Record<string, string>>;

const notification: Message = {
  Type: 'Notification',
  MessageId: '22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324',
  TopicArn: topic,
  Subject: 'My First Message',
  Message: 'Hello world!\n"quoted"',
  Timestamp: '2026-11-20T22:10:28.926Z',
  SigningCertURL: 'https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-1.pem',
  UnsubscribeURL: 'https://sns.eu-west-1.amazonaws.com/?Action=Unsubscribe',
};
const { Subject: _subject, ...plain } = notification;
const confirmation: Message = {
  ...plain,
  Type: 'SubscriptionConfirmation',
  Token: '2336412f37',
  SubscribeURL: 'https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=2336412f37',
};

// https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html
const fieldsOf: Readonly<Record<string, readonly string[]>> = {
  Notification: ['Message', 'MessageId', 'Subject', 'Timestamp', 'TopicArn', 'Type'],
  SubscriptionConfirmation: [
    'Message',
    'MessageId',
    'SubscribeURL',
    'Timestamp',
    'Token',
    'TopicArn',
    'Type',
  ],
};

function signed(message: Message, version = '2', type = message['Type']): Message {
  const fields = fieldsOf[type ?? ''] ?? [];
  const text = fields
    .filter((name) => name in message)
    .map((name) => `${name}\n${message[name]}\n`)
    .join('');
  const signature = createSign(version === '1' ? 'sha1' : 'sha256').update(text);
  return {
    ...message,
    SignatureVersion: version,
    Signature: signature.sign(signer.privateKey, 'base64'),
  };
}

async function codeOf(message: Message): Promise<string> {
  const request = {
    body: JSON.stringify(message),
    headers: { 'content-type': 'text/plain; charset=UTF-8' },
  };
  const verdict = await verdictOf(receive, request, { keys });
  return verdict.kind === 'refused' ? verdict.code : verdict.kind;
}

function isTheirs(message: Message): Promise<boolean> {
  return new Promise((resolve) => {
    new MessageValidator().validate({ ...message }, (error) => resolve(error === null));
  });
}

test('takes what Amazon takes: notifications and confirmations in both versions', async () => {
  for (const message of [notification, plain, confirmation]) {
    for (const version of ['1', '2']) {
      const whole = signed(message as Message, version);
      assert.equal(await isTheirs(whole), true);
      assert.equal(await codeOf(whole), 'authentic');
    }
  }
});

test('an UnsubscribeConfirmation is signed with its token, as the documentation says', async () => {
  // sns-validator leaves the token out of this type.
  const message = { ...confirmation, Type: 'UnsubscribeConfirmation' };
  assert.equal(await codeOf(signed(message, '2', 'SubscriptionConfirmation')), 'authentic');
});

test('refuses what Amazon refuses: any signed field changed, added or taken away', async () => {
  for (const message of [notification, confirmation]) {
    const whole = signed(message);
    const fields = Object.keys(whole).filter((name) =>
      (fieldsOf[message['Type'] ?? ''] ?? []).includes(name),
    );
    for (const name of fields.filter((one) => one !== 'TopicArn')) {
      const changed = { ...whole, [name]: `${whole[name]}x` };
      assert.equal(await isTheirs(changed), false, name);
      const code = name === 'Type' ? 'signature-unreadable' : 'signature-wrong';
      assert.equal(await codeOf(changed), code, name);
    }
  }
  const { Subject: _gone, ...less } = signed(notification);
  assert.equal(await codeOf(less), 'signature-wrong');
  assert.equal(await codeOf({ ...signed(plain as Message), Subject: 'x' }), 'signature-wrong');
  assert.equal(await codeOf({ ...signed(notification), SubscribeURL: 'x' }), 'signature-wrong');
  assert.equal(
    await codeOf({ ...signed(notification, '1'), SignatureVersion: '2' }),
    'signature-wrong',
  );
});

test('refuses topics that are not listed, however well signed', async () => {
  const stranger = signed({
    ...notification,
    TopicArn: 'arn:aws:sns:eu-west-1:999999999999:orders',
  });
  assert.equal(await isTheirs(stranger), true);
  assert.equal(await codeOf(stranger), 'not-equal');
});

test('fetches certificates from Amazon alone', async () => {
  const before = server.asked.length;
  for (const url of [
    'https://sns.eu-west-1.amazonaws.com.evil.example/a.pem',
    'https://evil.example/sns.eu-west-1.amazonaws.com/a.pem',
    'https://sns.amazonaws.com/a.pem',
    'https://sns.s3.amazonaws.com/a.pem',
    'https://sns.s3-eu-west-1.amazonaws.com/a.pem',
    'https://bucket.s3.amazonaws.com/a.pem',
    'http://sns.eu-west-1.amazonaws.com/a.pem',
    'https://sns.eu-west-1.amazonaws.com/a.txt',
    'https://sns.eu-west-1.amazonaws.com/a?b=.pem',
  ]) {
    assert.equal(
      await codeOf({ ...signed(notification), SigningCertURL: url }),
      'key-not-allowed',
      url,
    );
  }
  assert.equal(server.asked.length, before);
});

test('a message of another topic is none of this topic, however its fields are cut', async () => {
  const theirs = 'arn:aws:sns:eu-west-1:999999999999:orders';
  // What a stranger publishes to a topic of his own, so that Amazon signs it.
  const inner = ['{"forged":1}', 'MessageId', 'f1', 'Timestamp', notification['Timestamp']];
  const published = signed({
    ...plain,
    TopicArn: theirs,
    Message: [...inner, 'TopicArn', topic, 'Type', 'Notification'].join('\n'),
  });
  const tail = ['MessageId', 'Timestamp', 'TopicArn'].flatMap((name) => [name, published[name]]);
  const forged = {
    ...published,
    Message: '{"forged":1}',
    MessageId: 'f1',
    TopicArn: topic,
    Type: ['Notification', ...tail, 'Type', 'Notification'].join('\n'),
  };
  assert.equal(await codeOf(published), 'not-equal');
  assert.equal(await codeOf(forged), 'signature-unreadable');
  for (const name of ['MessageId', 'Subject', 'Timestamp', 'TopicArn', 'Type']) {
    const odd = { ...notification, [name]: `${notification[name]}\nx` };
    assert.equal(await codeOf(signed(odd, '2', 'Notification')), 'signature-unreadable', name);
  }
  assert.equal(
    await codeOf(signed({ ...notification, Type: 'Other' }, '2', 'Notification')),
    'signature-unreadable',
  );
});

test('what is no signed message of SNS is refused', async () => {
  const { Signature: _signature, ...unsigned } = signed(notification);
  assert.equal(await codeOf(unsigned), 'signature-missing');
  assert.equal(await codeOf({ hello: 'world' }), 'signature-missing');
  assert.equal(
    await codeOf({ ...signed(notification), SignatureVersion: '3' }),
    'signature-unreadable',
  );
});

test('a tolerance counts where it is asked for', async () => {
  const timestamp = { json: 'Timestamp', unit: 'iso', tolerance: '1h' };
  const strict = receiveOf({ verify: { scheme: 'sns', topicArns: [topic], timestamp } });
  const body = JSON.stringify(signed(notification));
  const at = Date.parse('2026-11-20T22:10:28.926Z');
  const verdicts = await Promise.all(
    [0, 3_599_000, 3_601_000, -3_601_000].map((ms) =>
      verdictOf(strict, { body }, { keys, nowMs: at + ms }),
    ),
  );
  const codes = verdicts.map((one) => (one.kind === 'refused' ? one.code : one.kind));
  assert.deepEqual(codes, ['authentic', 'authentic', 'too-old', 'too-early']);
});
