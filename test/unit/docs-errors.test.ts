// docs/errors.md against the code. Codes that are only types are read from their source text.

import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { adviceFor } from '../../src/cli/exit-codes.ts';
import { createLog } from '../../src/config/log.ts';
import { packageRoot } from '../../src/config/package-root.ts';
import { problemCodes } from '../../src/definitions/problem-codes.ts';
import { createAnswerError } from '../../src/http/errors.ts';
import { errorExplanations } from '../../src/model/error-explanations.ts';
import { CrossdockError, type ErrorCode } from '../../src/model/errors.ts';
import { classRules, outcomeRules, ruleTexts } from '../../src/model/outcome-rules.ts';
import { stateExplanations } from '../../src/model/state-explanations.ts';
import { classTexts, problemStateTexts, topicTexts } from '../../src/model/word-explanations.ts';
import { plainCell, readRepositoryFile, tableBelow } from '../support/markdown.ts';

const page = readRepositoryFile('docs/errors.md');

function rowsBelow(heading: string): readonly (readonly string[])[] {
  return tableBelow(page, heading).map((row) => row.map(plainCell));
}

function codesBelow(heading: string): readonly string[] {
  return rowsBelow(heading).map(([code = '']) => code);
}

/** The words of the first union of string literals after `opening`. */
function unionIn(path: string, opening: string): readonly string[] {
  const [, rest = ''] = readRepositoryFile(path).split(opening);
  const [union = ''] = /^(\s*\|?\s*'[a-z-]+')+/.exec(rest) ?? [];
  return [...union.matchAll(/'([a-z-]+)'/g)].map(([, word = '']) => word);
}

const outcomeCodes = unionIn('src/model/outcome.ts', 'export type OutcomeCode =');

test('errors.md has every error of the hub and no other', () => {
  const codes = unionIn('src/model/errors.ts', 'export type ErrorCode =');
  assert.ok(codes.length > 20);
  assert.deepEqual(codesBelow('## Errors of the hub').toSorted(), codes.toSorted());
});

test('errors.md has the HTTP status and the exit status of each error', () => {
  const answerError = createAnswerError(createLog({ level: 'silent' }));
  for (const [code, status, exit] of rowsBelow('## Errors of the hub')) {
    const response = new ServerResponse(new IncomingMessage(new Socket()));
    const error = new CrossdockError(code as ErrorCode, 'a test');
    assert.equal(String(answerError(error, response)), status, code);
    assert.equal(String(adviceFor(error.code).exit), exit, code);
  }
});

test('errors.md says of every error of the hub what `explain` says', () => {
  const rows = Object.entries(errorExplanations).map(([code, { meaning, todo }]) =>
    [code, meaning, todo].map(plainCell),
  );
  const listed = rowsBelow('## Errors of the hub').map(([code, , , ...rest]) => [code, ...rest]);
  assert.deepEqual(listed.toSorted(), rows.toSorted());
});

test('errors.md says of every outcome of an attempt what the table of the code says', () => {
  const rows = Object.entries(outcomeRules).map(([code, entry]) =>
    [code, entry.class, entry.title, entry.meaning, entry.todo].map(plainCell),
  );
  assert.deepEqual(rowsBelow('## Outcomes of attempts'), rows);
  assert.deepEqual(outcomeCodes.toSorted(), Object.keys(outcomeRules).toSorted());
});

test('errors.md has the rule of each class, and says what each rule means', () => {
  const classes = rowsBelow('### Classes').map(([name, rule]) => [name, rule]);
  assert.deepEqual(classes, Object.entries(classRules));
  assert.deepEqual(rowsBelow('### Rules'), Object.entries(ruleTexts));
});

test('errors.md, replay.md and alerts.md say of each word what `explain` says', () => {
  const pairs = (path: string, heading: string, columns: readonly number[]) =>
    tableBelow(readRepositoryFile(path), heading).map((row) =>
      columns.map((index) => plainCell(row[index] ?? '')),
    );
  const plain = (texts: Readonly<Record<string, string>>) =>
    Object.entries(texts).map((pair) => pair.map(plainCell));
  assert.deepEqual(pairs('docs/errors.md', '### Classes', [0, 2]), plain(classTexts));
  assert.deepEqual(pairs('docs/replay.md', '## Problems', [0, 1]), plain(problemStateTexts));
  assert.deepEqual(pairs('docs/alerts.md', '## Topics', [0, 1]), plain(topicTexts));
});

test('delivery.md has the rule of each class too', () => {
  const rows = tableBelow(readRepositoryFile('docs/delivery.md'), '## What an attempt comes to');
  const classes = rows.map(([name = '', , rule = '']) => [name, rule]);
  assert.deepEqual(classes.toSorted(), Object.entries(classRules).toSorted());
});

test('delivery.md says of every state what `explain` says', () => {
  const listed = tableBelow(readRepositoryFile('docs/delivery.md'), '## States');
  const rows = Object.entries(stateExplanations).map(([state, { meaning, comesAgain }]) =>
    [state, meaning, comesAgain].map(plainCell),
  );
  assert.deepEqual(
    // The ways out of a state are the picture's.
    listed.map((row) => row.slice(0, 3).map(plainCell)),
    rows,
  );
});

test('errors.md says of every problem of a file what the code says', () => {
  const rows = Object.entries(problemCodes).map(([code, { meaning, todo }]) =>
    [code, meaning, todo].map(plainCell),
  );
  assert.deepEqual(rowsBelow('## Problems of files').toSorted(), rows.toSorted());
});

test('errors.md has every problem of an expression and no other', () => {
  const codes = unionIn('src/mapping/check-expression.ts', 'readonly code:');
  assert.ok(codes.length > 4);
  assert.deepEqual(codesBelow('## Problems of expressions').toSorted(), codes.toSorted());
});

test('errors.md has every problem that a kind of connector finds and no other', () => {
  const folder = join('src', 'connectors');
  const files = readdirSync(join(packageRoot, folder));
  const source = files.map((file) => readRepositoryFile(join(folder, file))).join('\n');
  const found = [...source.matchAll(/\b(?:code: |problem\()'([a-z-]+)'/g)].map(
    ([, code = '']) => code,
  );
  const own = new Set(found.filter((code) => !outcomeCodes.includes(code)));
  assert.ok(own.size > 8);
  assert.deepEqual(codesBelow('## Problems of kinds').toSorted(), [...own].toSorted());
});
