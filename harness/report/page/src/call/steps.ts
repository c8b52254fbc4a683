/** The steps of a call in order, with the facts that are told of each. */
import type { CallResult, Doubted, ExpectationResult, GreetingResult, ToolCallSeen, TurnResult, WaitResult } from '../document';
import type { State } from '../calls/state';
import { wer, withMs } from '../numbers';
import { saidMs } from './timeline';

export interface Fact {
  name: string;
  value: string;
  title?: string;
  /** The metric that it is a sample of, if it can be compared. */
  metric?: string;
}

export interface Step {
  key: string;
  heading: string;
  verb: string;
  /** Where it starts in the call; null if that is not known. */
  atMs: number | null;
  untilMs: number | null;
  turn: TurnResult | null;
  reply: string;
  tools: ToolCallSeen[];
  facts: Fact[];
  remarks: { state: State; words: string }[];
  expectations: ExpectationResult[];
}

const VERBS: Record<TurnResult['kind'], string> = { say: 'says', type: 'types', barge_in: 'talks over' };
const FIRST_SOUND_APART_MS = 100;
const LEFT_OUT = 'left out of the percentiles';

export function stepsOf(call: CallResult, doubted: readonly Doubted[]): Step[] {
  const turns = call.turns ?? [];
  const waits = call.waits ?? [];
  const numbers = new Set(turns.map((turn) => turn.turn));
  const of = (turn: number | null) => doubted.find((each) => each.turn === turn);
  return [
    ...(call.greeting == null ? [] : [greetingStep(call.greeting, of(null))]),
    ...waits.filter((wait) => wait.after_turn < 1).map(waitStep),
    ...turns.flatMap((turn) => [turnStep(turn, of(turn.turn)), ...waits.filter((wait) => wait.after_turn === turn.turn).map(waitStep)]),
    ...waits.filter((wait) => wait.after_turn >= 1 && !numbers.has(wait.after_turn)).map(waitStep),
  ];
}

function greetingStep(greeting: GreetingResult, doubted: Doubted | undefined): Step {
  return {
    key: 'greeting', heading: 'Greeting', verb: '', atMs: greeting.onset_ms ?? null, untilMs: greeting.end_ms ?? null, turn: null,
    reply: greeting.reply ?? '', tools: greeting.tool_calls ?? [], expectations: greeting.expectations ?? [],
    facts: [{ name: 'TTFA', metric: 'greeting.ttfa', value: withMs(greeting.ttfa_ms), title: "from our join request to the onset of the agent's voice" }],
    remarks: doubts(doubted),
  };
}

function waitStep(wait: WaitResult, index: number): Step {
  const { started_ms: started, ended_ms: ended, agent_spoke_ms: spoke } = wait;
  return {
    key: `wait-${wait.after_turn}-${index}`, heading: 'Wait', verb: '', atMs: started ?? null, untilMs: ended ?? null, turn: null,
    reply: '', tools: [], expectations: wait.expectations ?? [],
    facts: spoke == null ? [] : [{ name: 'agent spoke after', value: withMs(spoke) }],
    remarks: wait.fit === false ? [{ state: UNFIT, words: 'the harness was late here' }] : [],
  };
}

function turnStep(turn: TurnResult, doubted: Doubted | undefined): Step {
  return {
    key: `turn-${turn.turn}`, heading: `Turn ${turn.turn}`, verb: VERBS[turn.kind],
    atMs: turn.caller_start_ms ?? turn.started_ms ?? saidMs(turn), untilMs: turn.ended_ms ?? null, turn,
    reply: turn.reply ?? '', tools: turn.tool_calls ?? [], expectations: turn.expectations ?? [],
    facts: turnFacts(turn), remarks: remarksOf(turn, doubted),
  };
}

function turnFacts(turn: TurnResult): Fact[] {
  const { ttfa_ms: ttfa, first_sound_ms: first } = turn;
  const apart = first != null && (ttfa == null || ttfa - first > FIRST_SOUND_APART_MS);
  const times: [string, number | null | undefined, string, string?][] = [
    ['TTFA', ttfa, "from the caller's voiced end, or the text sent, to the onset of the agent's voice", 'turn.ttfa'],
    ['TTFA at the ear', turn.ttfa_ear_ms, "including the harness's own sending and jitter buffer"],
    ['transcript', turn.transcript_ms, "from the caller's voiced end to its transcript", 'turn.transcript'],
    ['echo', turn.echo_ms, 'from the text sent to its echo', 'turn.echo'],
    ['reply text', turn.reply_text_ms, 'to the first text of the reply', 'turn.reply_text'],
    ['both spoke', turn.talk_over_ms === 0 ? null : turn.talk_over_ms, 'how long the agent and the caller spoke at the same time', 'turn.talk_over'],
    ['first sound', apart ? first : null, "from the caller's end to the first sound of the agent, which is not its voice", 'turn.first_sound'],
    ['dead air', turn.dead_air_ms, "the longest time both were silent, from the caller's end to the agent's last voice", 'turn.dead_air'],
    ['stopped after', turn.stop_ms, "from the caller's onset over the agent to the agent's silence", 'bargein.stop'],
  ];
  const facts = times
    .filter(([name, value]) => value != null || name === 'TTFA')
    .map(([name, value, title, metric]): Fact => ({ name, value: withMs(value), title, ...(metric === undefined ? {} : { metric }) }));
  if (turn.wer != null) facts.push({ name: 'WER', metric: 'turn.wer', value: wer(turn.wer), title: 'word error rate of the transcript' });
  return facts;
}

const UNFIT: State = { sign: '!', words: 'unfit', tone: 'warn' };

function doubts(doubted: Doubted | undefined): Step['remarks'] {
  const { unfit = [], doubtful = [] } = doubted ?? {};
  const remarks: Step['remarks'] = [];
  if (unfit.length > 0) remarks.push({ state: UNFIT, words: `${unfit.join('; ')}; ${LEFT_OUT}` });
  if (doubtful.length > 0) remarks.push({ state: { sign: '?', words: 'doubtful', tone: 'warn' }, words: `${doubtful.join('; ')}; ${LEFT_OUT}` });
  return remarks;
}

function remarksOf(turn: TurnResult, doubted: Doubted | undefined): Step['remarks'] {
  const remarks: Step['remarks'] = [];
  const warn = (sign: string, words: string): State => ({ sign, words, tone: 'warn' });
  if (turn.interrupted) remarks.push({ state: warn('!', 'interrupted'), words: "the agent started before the caller's end, so there is no TTFA" });
  if (turn.exercised === false) remarks.push({ state: warn('!', 'not exercised'), words: 'the agent was already silent' });
  remarks.push(...doubts(doubted));
  if (turn.cut) remarks.push({ state: { sign: '■', words: 'cut', tone: 'quiet' }, words: 'the call was cut short in this turn; the turn is in no metric' });
  if (turn.advice) remarks.push({ state: { sign: 'i', words: 'advice', tone: 'quiet' }, words: turn.advice });
  return remarks;
}
