/** The report: an overview of the run, or one of its calls. */
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { CallView } from './call/CallView';
import { chosen, EVERYTHING, listed } from './calls/filter';
import type { Document } from './document';
import { isTyping } from './keys';
import { Overview } from './overview/Overview';
import { linkTo, routeOf, type Route } from './route';

export function App({ document: shown }: { document: Document }) {
  const route = useRoute();
  const calls = shown.published.calls;
  const all = useMemo(() => listed(calls, shown.shown), [calls, shown.shown]);
  const [wanted, setWanted] = useState(EVERYTHING);
  const found = useMemo(() => chosen(all, wanted), [all, wanted]);
  const call = route.call === null ? undefined : calls.find((each) => each.call === route.call);
  const place = useRef(0);
  const before = useRef<string | null>(null);

  useLayoutEffect(() => {
    // The overview is found again where it was left.
    if (call === undefined && before.current !== null) scrollTo(0, place.current);
    if (call !== undefined && before.current !== call.call) scrollTo(0, 0);
    before.current = call?.call ?? null;
  }, [call]);

  useEffect(() => {
    const keep = () => {
      if (before.current === null) place.current = scrollY;
    };
    addEventListener('scroll', keep, { passive: true });
    return () => { removeEventListener('scroll', keep); };
  }, []);

  // At once, so that no key falls between what is shown and what keys do.
  useLayoutEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event)) return;
      if (event.key === 'Escape' && call !== undefined) location.hash = '#calls';
      if (event.key !== 'j' && event.key !== 'k') return;
      const order = found.map((each) => each.call.call);
      const at = call === undefined ? -1 : order.indexOf(call.call);
      const next = order[event.key === 'j' ? at + 1 : at - 1];
      // In the overview the list moves its own selection.
      if (call !== undefined && next !== undefined) location.hash = linkTo(next);
    };
    addEventListener('keydown', onKey);
    return () => { removeEventListener('keydown', onKey); };
  }, [found, call]);

  return (
    <>
      <main hidden={call !== undefined} class="overview">
        <Overview document={shown} all={all} found={found} wanted={wanted} onWanted={setWanted} active={call === undefined} />
      </main>
      {route.call !== null && call === undefined && (
        <p class="missing" role="alert">There is no call {route.call} in this run.</p>
      )}
      {call !== undefined && (
        <main class="call-page">
          <CallView key={call.call} document={shown} call={call} order={found} startS={route.t} />
        </main>
      )}
    </>
  );
}

function useRoute(): Route {
  const [route, setRoute] = useState(() => routeOf(location.hash));
  useEffect(() => {
    const onHash = () => { setRoute(routeOf(location.hash)); };
    addEventListener('hashchange', onHash);
    return () => { removeEventListener('hashchange', onHash); };
  }, []);
  return route;
}
