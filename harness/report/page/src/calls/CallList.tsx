/** The calls of the run: searched, filtered, ordered. Only the rows in view are drawn. */
import { options } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Document } from '../document';
import { isTyping } from '../keys';
import { count, counted, seconds, withMs } from '../numbers';
import { Outcome } from '../parts';
import { linkTo } from '../route';
import { EVERYTHING, GROUPS, isIn, type Group, type Listed, type Order, type Wanted } from './filter';
import { stateOf } from './state';
import { TurnBars } from './TurnBars';
import { rowsInView } from './window';

const [WIDE_PX, NARROW_PX] = [34, 58];
const MOST_PRINTED = 1000;
const GROUP_NAMES: Record<Group, string> = { all: 'all', failed: 'failed', doubted: 'unfit or doubtful', recorded: 'recorded' };
const COLUMNS: [Order, string][] = [
  ['call', 'call'], ['result', 'result'], ['scenario', 'scenario'], ['turns', 'turns'], ['slowest', 'slowest TTFA'], ['duration', 'duration'],
];

interface CallListProps {
  document: Document;
  all: Listed[];
  found: Listed[];
  wanted: Wanted;
  onWanted: (wanted: Wanted) => void;
  active: boolean;
}

export function CallList({ document: shown, all, found, wanted, onWanted, active }: CallListProps) {
  const search = useRef<HTMLInputElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const [selected, setSelected] = useState(-1);
  const [scrolled, setScrolled] = useState(0);
  const [height, setHeight] = useState(600);
  const isNarrow = useMedia('(max-width: 720px)');
  const isPrinted = usePrinting();
  const rowPx = isNarrow ? NARROW_PX : WIDE_PX;
  const scenarios = [...new Set(all.map((each) => each.call.scenario))].sort();
  const most = Math.max(1, ...all.map((each) => each.slowestMs ?? 0));

  useEffect(() => { setSelected(-1); list.current?.scrollTo(0, 0); }, [wanted]);
  useEffect(() => {
    const here = list.current;
    if (here === null) return undefined;
    const observer = new ResizeObserver(() => { setHeight(here.clientHeight); });
    observer.observe(here);
    return () => { observer.disconnect(); };
  }, []);
  useLayoutEffect(() => {
    if (!active) return undefined;
    const onKey = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event)) return;
      if (event.key === '/') {
        event.preventDefault();
        search.current?.focus();
      } else if (event.key === 'j' || event.key === 'k') {
        // A button that was pressed before would take the next enter.
        list.current?.focus({ preventScroll: true });
        setSelected((at) => Math.max(0, Math.min(found.length - 1, at + (event.key === 'j' ? 1 : -1))));
      } else if (event.key === 'Enter' && !(event.target as Element).matches('a, button, summary')) {
        const call = found[selected]?.call.call;
        if (call !== undefined) location.hash = linkTo(call);
      }
    };
    addEventListener('keydown', onKey);
    return () => { removeEventListener('keydown', onKey); };
  }, [active, found, selected]);
  useLayoutEffect(() => {
    const here = list.current;
    if (here === null || selected < 0) return;
    const top = selected * rowPx;
    if (top < here.scrollTop) here.scrollTop = top;
    else if (top + rowPx > here.scrollTop + here.clientHeight) here.scrollTop = top + rowPx - here.clientHeight;
    here.scrollIntoView({ block: 'nearest' });
  }, [selected, rowPx]);

  if (all.length === 0) return <p class="soft">No call was made.</p>;
  const rows = isPrinted ? { from: 0, until: Math.min(found.length, MOST_PRINTED) } : rowsInView(found.length, rowPx, scrolled, height);
  const order = (next: Order) => { onWanted({ ...wanted, order: next, down: wanted.order === next ? !wanted.down : next === 'slowest' || next === 'duration' }); };
  return (
    <>
      <div class="tools" role="search">
        <input
          ref={search}
          type="search"
          placeholder="Search calls, texts, failures"
          aria-label="Search calls"
          aria-keyshortcuts="/"
          value={wanted.words}
          onInput={(event) => { onWanted({ ...wanted, words: event.currentTarget.value }); }}
          onKeyDown={(event) => { if (event.key === 'Escape') { onWanted({ ...wanted, words: '' }); event.currentTarget.blur(); } }}
        />
        <div class="groups" role="group" aria-label="Show">
          {GROUPS.map((group) => {
            const number = all.filter((each) => isIn(group, each)).length;
            return (
              (group === 'all' || number > 0) && (
                <button key={group} type="button" aria-pressed={wanted.group === group} onClick={() => { onWanted({ ...wanted, group }); }}>
                  {GROUP_NAMES[group]} <span class="number">{count(number)}</span>
                </button>
              )
            );
          })}
        </div>
        {scenarios.length > 1 && (
          <select aria-label="Scenario" value={wanted.scenario} onChange={(event) => { onWanted({ ...wanted, scenario: event.currentTarget.value }); }}>
            <option value="">all scenarios</option>
            {scenarios.map((name) => <option key={name} value={name}>{name}</option>)}
          </select>
        )}
        {isNarrow && (
          <select aria-label="Order" value={wanted.order} onChange={(event) => { order(event.currentTarget.value as Order); }}>
            {COLUMNS.map(([key, name]) => <option key={key} value={key}>by {name}</option>)}
          </select>
        )}
        <span class="soft" role="status">
          {found.length === all.length ? counted(all.length, 'call') : `${count(found.length)} of ${counted(all.length, 'call')}`}
        </span>
      </div>
      {found.length === 0 && (
        <p class="soft">
          No call matches. <button type="button" class="plain" onClick={() => { onWanted(EVERYTHING); }}>Show all calls</button>
        </p>
      )}
      <div class="list" role="table" aria-label="Calls" aria-rowcount={found.length + 1}>
        <div class="row head" role="row" aria-rowindex={1}>
          {COLUMNS.map(([key, name]) => (
            <span key={key} role="columnheader" class={key} aria-sort={wanted.order !== key ? 'none' : wanted.down ? 'descending' : 'ascending'}>
              <button type="button" class="plain" onClick={() => { order(key); }}>
                {name}<span aria-hidden="true">{wanted.order === key ? (wanted.down ? ' ↓' : ' ↑') : ''}</span>
              </button>
            </span>
          ))}
        </div>
        {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
        <div ref={list} class="rows" role="rowgroup" tabIndex={0} onScroll={(event) => { setScrolled(event.currentTarget.scrollTop); }}>
          <div class="all-rows" role="presentation" style={{ height: isPrinted ? 'auto' : `${found.length * rowPx}px` }}>
            {found.slice(rows.from, rows.until).map((each, at) => (
              <Row
                key={each.call.call}
                document={shown}
                each={each}
                most={most}
                index={rows.from + at}
                top={isPrinted ? null : (rows.from + at) * rowPx}
                selected={rows.from + at === selected}
              />
            ))}
          </div>
        </div>
      </div>
      {isPrinted && found.length > rows.until && <p>{count(found.length - rows.until)} more calls are in calls.jsonl.</p>}
    </>
  );
}

interface RowProps {
  document: Document;
  each: Listed;
  most: number;
  index: number;
  /** Where it stands in the list; null if rows follow each other. */
  top: number | null;
  selected: boolean;
}

function Row({ document, each, most, index, top, selected }: RowProps) {
  const { call } = each;
  const state = stateOf(call, document.shown.calls?.[call.call]);
  const open = (event: MouseEvent) => {
    if (!(event.target as Element).closest('a')) location.hash = linkTo(call.call);
  };
  return (
    // The link in it is what keyboards reach.
    // eslint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/interactive-supports-focus
    <div
      class={`row ${selected ? 'selected' : ''}`}
      role="row"
      aria-rowindex={index + 2}
      style={top === null ? {} : { transform: `translateY(${top}px)`, position: 'absolute' }}
      onClick={open}
    >
      <span role="cell" class="call"><a href={linkTo(call.call)}>{call.call}</a>{call.side === 'baseline' && <span class="soft"> baseline</span>}{call.recording != null && <span class="soft" title="recorded"> ♪</span>}</span>
      <span role="cell" class="result"><Outcome state={state} />{each.doubted && <span class="warn" title="parts of it are in no percentile"> !</span>}</span>
      <span role="cell" class="scenario"><bdi>{call.scenario}</bdi></span>
      <span role="cell" class="turns"><TurnBars call={call} most={most} /></span>
      <span role="cell" class="slowest">{withMs(each.slowestMs)}</span>
      <span role="cell" class="duration">{seconds(call.duration_ms ?? 0)}</span>
    </div>
  );
}

function useMedia(query: string): boolean {
  const [matches, setMatches] = useState(() => matchMedia(query).matches);
  useEffect(() => {
    const media = matchMedia(query);
    const onChange = () => { setMatches(media.matches); };
    media.addEventListener('change', onChange);
    return () => { media.removeEventListener('change', onChange); };
  }, [query]);
  return matches;
}

/** Whether the page is being printed. It is drawn at once then, because a browser prints what is there. */
function usePrinting(): boolean {
  const [printing, setPrinting] = useState(false);
  useEffect(() => {
    const atOnce = (now: boolean) => () => {
      options.debounceRendering = (draw) => { draw(); };
      setPrinting(now);
      delete options.debounceRendering;
    };
    const [before, after] = [atOnce(true), atOnce(false)];
    addEventListener('beforeprint', before);
    addEventListener('afterprint', after);
    return () => {
      removeEventListener('beforeprint', before);
      removeEventListener('afterprint', after);
    };
  }, []);
  return printing;
}
