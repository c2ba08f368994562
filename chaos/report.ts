// What people read: a line as each scenario ends, and the table at the end.

import { formatTable } from '../src/cli/table.ts';
import type { ScenarioResult } from './run-scenario.ts';
import { nameOf } from './scenario.ts';

export const tableHead = [
  'fault',
  'lanes',
  'acknowledged',
  'lost',
  'duplicates',
  'recovered in',
  'verdict',
] as const;

export function progressLine(result: ScenarioResult): string {
  const { lanes, seed, verdict, tookMs, figures } = result;
  const counts =
    figures === undefined
      ? ''
      : `: ${figures.acknowledged} acknowledged, ${figures.lost} lost, ` +
        `${figures.duplicates} duplicates, recovered in ${recoveredText(result)}`;
  const spent = `${Math.round(tookMs / 1_000)} s, load ${result.loadAverage.toFixed(1)}`;
  return `${nameOf(result)} on ${lanes}, seed ${seed}: ${verdict}${counts} (${spent})`;
}

/** What was measured besides, what went wrong and where to look. */
export function troubleLines(result: ScenarioResult): readonly string[] {
  const { findings, reason, evidence, measured = {} } = result;
  return [
    ...Object.entries(measured).map(([name, value]) => `  ${name}: ${value}`),
    ...(reason === undefined ? [] : [`  ${reason.replaceAll('\n', '\n  ')}`]),
    ...findings.flatMap(({ rule, message, ids }) => [
      `  ${rule}: ${message}`,
      ...ids.map((id) => `      ${id}`),
    ]),
    ...(evidence === undefined ? [] : [`  evidence: ${evidence}`]),
  ];
}

export function resultTable(results: readonly ScenarioResult[]): readonly string[] {
  return formatTable(tableHead, results.map(resultCells));
}

export function resultCells(result: ScenarioResult): readonly string[] {
  const { lanes, figures, verdict, title } = result;
  const number = (value: number | undefined): string => (value === undefined ? '-' : String(value));
  return [
    `${nameOf(result)} ${title}`,
    lanes,
    number(figures?.acknowledged),
    number(figures?.lost),
    number(figures?.duplicates),
    recoveredText(result),
    verdict,
  ];
}

function recoveredText({ figures }: ScenarioResult): string {
  const ms = figures?.recoveredMs;
  return ms === undefined ? '-' : `${(ms / 1_000).toFixed(1)} s`;
}
