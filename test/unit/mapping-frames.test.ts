import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  type AnswerFrame,
  createAnswerReader,
  decodeRequest,
  encodeAnswer,
  encodeEvaluation,
  encodeProgram,
  setSlot,
  toFailure,
} from '../../src/mapping/frames.ts';
import { sampleEvent } from '../support/evaluate.ts';

test('a program and an evaluation arrive as they were sent', () => {
  const program = decodeRequest(encodeProgram(499, '{"ä":1}').subarray(4));
  assert.deepEqual(program, { kind: 'program', slot: 499, json: '{"ä":1}' });
  for (const sent of [undefined, '', '{"€":1}']) {
    const body = Buffer.from([0, 255, 10]);
    const message = sent === undefined ? { body, nowMs: 1.5 } : { body, nowMs: 1.5, sent };
    const head = encodeEvaluation(message, JSON.stringify(sampleEvent));
    setSlot(head, 7);
    const frame = Buffer.concat([head, body]);
    assert.equal(frame.readUInt32LE(0), frame.length - 4);
    const input = { ...message, event: sampleEvent };
    assert.deepEqual(decodeRequest(frame.subarray(4)), { kind: 'evaluate', slot: 7, input });
  }
});

test('answers arrive whole and in order however the stream is cut', () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ maxLength: 40 })),
      fc.infiniteStream(fc.nat(30)),
      (texts, cuts) => {
        const sent = texts.map((output) => encodeAnswer({ kind: 'mapped', output }, 1.25));
        const bytes = Buffer.concat(sent);
        const received: AnswerFrame[] = [];
        const read = createAnswerReader((answer) => received.push(answer));
        for (let at = 0; at < bytes.length; ) {
          const size = (cuts.next().value ?? 0) + 1;
          read(bytes.subarray(at, at + size));
          at += size;
        }
        // A lone surrogate cannot be written as UTF-8.
        const expected = texts.map((text) => text.toWellFormed());
        assert.deepEqual(
          received.map(({ text }) => text),
          expected,
        );
        assert.ok(received.every(({ kind, cpuMs }) => kind === 'mapped' && cpuMs === 1.25));
      },
    ),
  );
});

test('a failure keeps its code and its message', () => {
  const failure = {
    kind: 'failed',
    code: 'mapping-failed',
    message: 'a:1:1 x\nsecond line',
  } as const;
  const received: AnswerFrame[] = [];
  createAnswerReader((answer) => received.push(answer))(encodeAnswer(failure, 0));
  assert.deepEqual(toFailure(received[0]?.text ?? ''), failure);
});
