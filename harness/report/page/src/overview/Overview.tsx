/** The run: verdict and why first, then failures, then everything. */
import { CallList } from '../calls/CallList';
import type { Listed, Wanted } from '../calls/filter';
import type { Document } from '../document';
import { Section } from '../parts';
import { Bursts, Canaries } from './Beside';
import { CapacityOf } from './Capacity';
import { ComparisonOf } from './Comparison';
import { Failures } from './Failures';
import { Header } from './Header';
import { Expectations, PassRates, Thresholds } from './Judged';
import { KeyFigures } from './KeyFigures';
import { Metrics } from './Metrics';
import { ObservedOf } from './Observed';
import { OverTimeOf } from './OverTime';

interface OverviewProps {
  document: Document;
  all: Listed[];
  found: Listed[];
  wanted: Wanted;
  onWanted: (wanted: Wanted) => void;
  /** Whether it is shown: keys are its only then. */
  active: boolean;
}

export function Overview({ document, all, found, wanted, onWanted, active }: OverviewProps) {
  const { summary, capacity, calls, observed } = document.published;
  const { shown } = document;
  const failed = (shown.kinds ?? []).length + (shown.expectations ?? []).length > 0;
  return (
    <>
      <Header document={document} />
      {summary !== null && <KeyFigures summary={summary} />}
      {capacity != null && (
        <Section id="capacity" title="Capacity">
          <CapacityOf capacity={capacity} recovery={shown.recovery ?? ''} />
        </Section>
      )}
      {document.comparison != null && (
        <Section id="comparison" title="Against the baseline">
          <ComparisonOf comparison={document.comparison} />
        </Section>
      )}
      {failed && (
        <Section id="failures" title="Failures">
          <Failures shown={shown} calls={calls} />
        </Section>
      )}
      {(summary?.thresholds ?? []).length > 0 && (
        <Section id="thresholds" title="Thresholds">
          <Thresholds thresholds={summary?.thresholds ?? []} shown={shown.thresholds ?? []} />
        </Section>
      )}
      {(shown.pass_rates ?? []).length > 0 && (
        <Section id="pass-rates" title="Pass rates">
          <PassRates rates={shown.pass_rates ?? []} />
        </Section>
      )}
      {summary?.metrics !== undefined && Object.keys(summary.metrics).length > 0 && (
        <Section id="metrics" title="Metrics">
          <Metrics document={document} metrics={summary.metrics} />
        </Section>
      )}
      {shown.over_time != null && (
        <Section id="over-time" title="Over time">
          <OverTimeOf run={shown.over_time} calls={calls} />
        </Section>
      )}
      {observed != null && shown.observed != null && (
        <Section id="observed" title="Observed">
          <ObservedOf observed={observed} shown={shown.observed} overTime={shown.over_time ?? null} />
        </Section>
      )}
      {(shown.bursts ?? []).length > 0 && (
        <Section id="bursts" title="Bursts">
          <Bursts bursts={shown.bursts ?? []} />
        </Section>
      )}
      {summary?.canaries != null && (
        <Section id="canaries" title="Canaries">
          <Canaries canaries={summary.canaries} rest={summary.metrics ?? {}} shown={shown} />
        </Section>
      )}
      {summary?.expectations !== undefined && Object.keys(summary.expectations).length > 0 && (
        <Section id="expectations" title="Expectations">
          <Expectations counts={summary.expectations} />
        </Section>
      )}
      <Section id="calls" title="Calls">
        {capacity != null && (
          <p class="soft">These calls are from all steps, including steps with more calls than the capacity.</p>
        )}
        <CallList document={document} all={all} found={found} wanted={wanted} onWanted={onWanted} active={active} />
      </Section>
      <footer>
        <p>
          In the folder of this run: <a href="summary.json">summary.json</a>, <a href="turns.csv">turns.csv</a>,{' '}
          <a href="junit.xml">junit.xml</a>, <a href="calls.jsonl">calls.jsonl</a>, <a href="run.json">run.json</a>.
          Positions are relative to the moment when the caller was connected. TTFA is measured wire to wire.
        </p>
      </footer>
    </>
  );
}
