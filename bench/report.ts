import { readFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../src/config/package-root.ts';
import type { LoadResult } from './load-client.ts';

/** One row: what was measured, and what came out. */
export interface Figures extends Partial<LoadResult> {
  readonly what: string;
  readonly store: string;
  readonly perSecond: number;
  /** From the last acknowledged request to the last recorded delivery. */
  readonly drainMs?: number;
  readonly largestMb?: number;
  readonly readyMs?: number;
}

export function describeMachine(): Readonly<Record<string, string>> {
  const version = (name: string): string => {
    const file = join(packageRoot, 'node_modules', name, 'package.json');
    return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
  };
  const [cpu] = cpus();
  return {
    date: new Date().toISOString().slice(0, 10),
    node: process.version,
    cores: `${cpus().length} x ${cpu?.model ?? 'unknown'}`,
    memory: `${Math.round(totalmem() / 1_024 ** 3)} GiB`,
    system: `${process.platform} ${process.arch}`,
    bullmq: version('bullmq'),
    express: version('express'),
    jsonata: version('jsonata'),
  };
}

export function printTable(
  machine: Readonly<Record<string, string>>,
  figures: readonly Figures[],
): void {
  const express = figures.find((one) => one.what.startsWith('bare Express'))?.perSecond ?? 0;
  console.log(
    Object.entries(machine)
      .map(([name, value]) => `${name} ${value}`)
      .join(' · '),
  );
  console.log();
  console.log(
    '| what | lanes on | per second | of Express | p50 ms | p99 ms | drain ms | largest MB | ready ms |',
  );
  console.log('|---|---|---:|---:|---:|---:|---:|---:|---:|');
  for (const one of figures) {
    const ratio = one.p99Ms === undefined ? undefined : (one.perSecond / express).toFixed(2);
    const cells = [one.p50Ms, one.p99Ms, one.drainMs, one.largestMb, one.readyMs];
    const texts = [ratio, ...cells].map((cell) => (cell === undefined ? '' : String(cell)));
    console.log(`| ${one.what} | ${one.store} | ${one.perSecond} | ${texts.join(' | ')} |`);
  }
}

/** End to end, a second: another version and this one, right after each other. */
export interface RatioRow {
  readonly store: string;
  readonly round: number;
  readonly theirs: number;
  readonly ours: number;
}

export function printRatios(rows: readonly RatioRow[]): void {
  console.log('| lanes on | round | there, per second | here, per second | here / there |');
  console.log('|---|---:|---:|---:|---:|');
  for (const { store, round, theirs, ours } of rows) {
    console.log(`| ${store} | ${round} | ${theirs} | ${ours} | ${(ours / theirs).toFixed(2)} |`);
  }
  for (const store of new Set(rows.map((row) => row.store))) {
    const ratios = rows.filter((row) => row.store === store).map((row) => row.ours / row.theirs);
    console.log(`\n${store}: median ratio ${medianOf(ratios).toFixed(2)}`);
  }
}

export function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length / 2;
  const middle = sorted.slice(Math.ceil(half) - 1, Math.floor(half) + 1);
  return middle.reduce((sum, value) => sum + value, 0) / middle.length;
}
