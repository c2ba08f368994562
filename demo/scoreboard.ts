// Keeps count of what each order came to, as the systems around the hub saw it, and says so line
// by line. The hub is not asked: what it believes is not what arrived.

import { countOf, plain, print } from '../src/cli/terminal.ts';
import type { ShopOrder } from './shop-orders.ts';
import type { ErpAnswer } from './stand-in-erp.ts';
import type { Mail } from './stand-in-mailbox.ts';
import type { Posted } from './stand-in-shop.ts';

export interface OrderScore {
  readonly order: ShopOrder;
  readonly startedMs: number;
  /** Filled when the shop has had all its answers. */
  posted: readonly Posted[] | undefined;
  readonly erp: ErpAnswer[];
  /** Sales orders that the ERP made, not those it recognised. */
  created: number;
  confirmations: number;
  numberMails: number;
  archived: number;
  shown: boolean;
}

export class Scoreboard {
  readonly scores: OrderScore[] = [];
  readonly #byId = new Map<string, OrderScore>();
  readonly #byName = new Map<string, OrderScore>();
  #lastLineMs = Date.now();

  begin(order: ShopOrder): void {
    const score: OrderScore = {
      order,
      startedMs: Date.now(),
      posted: undefined,
      erp: [],
      created: 0,
      confirmations: 0,
      numberMails: 0,
      archived: 0,
      shown: false,
    };
    this.scores.push(score);
    this.#byId.set(order.id, score);
    this.#byName.set(order.name, score);
  }

  posted(order: ShopOrder, posted: readonly Posted[]): void {
    this.#change(this.#byId.get(order.id), (score) => {
      score.posted = posted;
    });
  }

  erpAnswered(answer: ErpAnswer): void {
    this.#change(this.#byId.get(answer.externalId), (score) => {
      score.erp.push(answer);
      if (answer.created) score.created += 1;
    });
  }

  mailCame(mail: Mail): void {
    const score = this.#byName.get(/#\d+/.exec(mail.subject)?.[0] ?? '');
    if (!score?.order.email || !mail.to.includes(score.order.email)) return;
    const isNumberMail = /\bSO-\d+/.test(mail.subject);
    this.#change(score, () => {
      score[isNumberMail ? 'numberMails' : 'confirmations'] += 1;
    });
  }

  archived(orderId: string): void {
    this.#change(this.#byId.get(orderId), (score) => {
      score.archived += 1;
    });
  }

  incomplete(): readonly OrderScore[] {
    return this.scores.filter((score) => !isComplete(score));
  }

  /** One line about what is under way, unless one was said a moment ago; whether it was. */
  sayProgress(quietMs: number): boolean {
    const waiting = this.incomplete();
    if (waiting.length === 0 || Date.now() - this.#lastLineMs < quietMs) return false;
    const names = waiting.slice(0, 3).map(({ order, erp }) => {
      const last = erp.at(-1);
      return last !== undefined && !isTaken(last)
        ? `${order.name} (ERP: ${last.status})`
        : order.name;
    });
    const more = waiting.length > names.length ? ', …' : '';
    this.#say(`  … ${countOf(waiting.length, 'order')} under way: ${names.join(', ')}${more}`);
    return true;
  }

  #change(score: OrderScore | undefined, change: (score: OrderScore) => void): void {
    if (score === undefined) return;
    change(score);
    if (score.shown || !isComplete(score)) return;
    score.shown = true;
    this.#say(describe(score));
  }

  #say(line: string): void {
    this.#lastLineMs = Date.now();
    print(plain(line));
  }
}

/** Everything that was to come has come; whether some of it came twice is for `findFaults`. */
export function isComplete(score: OrderScore): boolean {
  const { posted, created, confirmations, numberMails, archived } = score;
  const counts = [created, confirmations, numberMails, archived];
  return posted !== undefined && counts.every((count) => count > 0);
}

/** Answers that told the hub of a sales order. */
export function isTaken({ status }: ErpAnswer): boolean {
  return status === 200 || status === 201 || status === 409;
}

function describe({ order, posted = [], erp, startedMs }: OrderScore): string {
  const number = erp.find(isTaken)?.number ?? '';
  const troubles = erp.flatMap(troubleOf);
  const after = troubles.length === 0 ? '' : ` after ${troubles.join(', ')}`;
  const copies = posted.length === 1 ? '' : ` ×${posted.length}`;
  const seconds = ((Date.now() - startedMs) / 1000).toFixed(1);
  const way = [`in${copies}`, `ERP ${number}${after}`, 'mail', 'archive', `mail with ${number}`];
  return `${order.name}  ${order.total.padStart(8)} ${order.currency}  ${way.join(' → ')}  ✓ ${seconds} s`;
}

function troubleOf(answer: ErpAnswer): readonly string[] {
  if (answer.slow) return ['a long wait'];
  if (isTaken(answer)) return [];
  return [answer.status === 'lost' ? 'a lost answer' : String(answer.status)];
}
