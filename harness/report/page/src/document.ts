// Made from the models of harness/report/shown/ and harness/record/: pytest tests/report --update-golden
// A field with a default is left out if it has it: null, false, 0, '', [] or {}, or what stands behind the field.

export interface Answer {
  calls: number;
  interval: [number, number | null];
  limited_by: 'agent' | 'session service' | 'harness' | 'not reached';
  ended: 'found' | 'max' | 'harness' | 'set_up' | 'first' | 'enough' | 'time' | 'interrupted' | 'fallen';
  words: string;
  exit_code: number;
}

export interface BaselineSettings {
  name: string;
  how?: ComparisonSettings;
}

export interface Burst {
  size: number;
  line: string;
  rows: BurstRow[];
}

export interface BurstRow {
  stage: string;
  calls: number;
  p50_ms: number;
  p95_ms: number;
  last_ms: number;
}

export interface CalibratedError {
  made: string;
  harness_version: string;
  quick: boolean;
  offset_ms?: Record<string, number>;
}

export interface CallCounts {
  total?: number;
  ok?: number;
  failed?: number;
  dropped?: number;
  cut?: number;
  warm_up?: number;
  retried?: number;
}

export interface CallResult {
  version?: 1;
  call: string;
  scenario: string;
  tags?: string[];
  target?: string;
  agent?: string;
  room?: string | null;
  started: string;
  host?: string;
  definitions?: number; // 3
  engine?: string; // 'sdk'
  warm_up?: boolean;
  canary?: boolean;
  side?: 'baseline' | 'run'; // 'run'
  block?: number | null;
  retry_of?: string | null;
  start_late_ms?: number | null;
  held_back_ms?: number;
  since_due?: SinceDue | null;
  duration_ms?: number;
  ok: boolean | null;
  failure?: 'session.unreachable' | 'session.timeout' | 'session.redirected' | 'session.too_large' | 'session.unauthorized' | 'session.rate_limited' | 'session.rejected' | 'session.server_error' | 'session.not_json' | 'session.incomplete' | 'room.unreachable' | 'room.refused' | 'room.timeout' | 'room.lost' | 'room.publish_failed' | 'agent.never_joined' | 'agent.no_greeting' | 'agent.no_audio' | 'agent.no_reply' | 'agent.left' | 'agent.talks_on' | 'agent.call_too_long' | 'agent.gone_silent' | 'harness.shard_died' | 'harness.disk' | 'harness.bug' | null;
  failures?: FailureSeen[];
  cut?: boolean;
  session_create_ms?: number | null;
  session_retries?: number;
  room_connect_ms?: number | null;
  agent_join_ms?: number | null;
  agents?: number;
  tracks?: TrackHeard[];
  handovers?: Handover[];
  other_texts?: number;
  junk_frames?: number;
  other_tool_frames?: number;
  junk_tool_frames?: number;
  stray_tool_calls?: number;
  stray_texts?: number;
  altered_echoes?: number;
  stray_speech?: number;
  greeting?: GreetingResult | null;
  turns?: TurnResult[];
  waits?: WaitResult[];
  caller_voice?: ([number, number])[];
  agent_voice?: ([number, number])[];
  media?: MediaHealth;
  own?: OwnLateness;
  notes?: string[];
  self_faults?: string[];
  recording?: string | null;
  remeasured?: Remeasured | null;
}

export interface CanarySummary {
  engine: string;
  calls: CallCounts;
  metrics?: Record<string, MetricSummary | RateSummary>;
  failures?: Record<string, number>;
}

export interface Capacity {
  version?: 1;
  answer: Answer;
  objectives: string[];
  turns_wanted: Record<string, number>;
  curve: CurvePoint[];
  steps: Hold[];
  recovery?: Recovery | null;
}

export interface ComparisonRow {
  scenario: string;
  metric: string;
  turn: number | null;
  baseline: string;
  run: string;
  difference: string;
  interval: string;
  verdict: 'regression' | 'improvement' | 'changed' | 'same' | 'not enough data';
  calls: string;
  enough: string;
  why: string;
  is_of_one_side: boolean;
}

export interface ComparisonSettings {
  smallest?: SmallestEffect;
  false_discoveries?: number; // 0.05
  level?: number; // 0.95
  seed?: number; // 22
}

export interface CurvePoint {
  calls: number;
  holds: number;
  met: number;
  unfit: number;
  turns: number;
  ttfa_p50: number | null;
  ttfa_p95: number | null;
  failed: number | null;
  wrong: number | null;
  observed?: ObservedStat[];
}

export interface Detailed {
  version?: 1;
  calls?: DetailedCall[];
  opus?: Record<string, string>;
}

export interface DetailedCall {
  call: string;
  events?: EventSeen[];
  more_events?: number;
  sound?: Sound | null;
}

export interface Difference {
  what: string;
  baseline: string;
  run: string;
}

export interface Document {
  version?: 1;
  published: Published;
  shown: Shown;
  detailed: Detailed;
  comparison?: ShownComparison | null;
}

export interface Dots {
  at_s?: number[];
  ttfa_ms?: number[];
  call?: string[];
  turn?: number[];
}

export interface Doubt {
  detail?: string;
  kind: 'wrong_voice' | 'late_answer' | 'older_answer' | 'stop_or_pause' | 'went_on' | 'backchannel' | 'before_words' | 'noise' | 'sound' | 'other';
}

export interface Doubted {
  turn: number | null;
  unfit?: string[];
  doubtful?: string[];
}

export interface Ending {
  dropped?: number;
  interrupted?: boolean;
  extra?: Reason[];
  decided?: Reason[] | null;
}

export interface EventSeen {
  at_ms: number;
  event: string;
  fields?: Record<string, unknown>;
}

export interface ExpectationCounts {
  held?: number;
  failed?: number;
  undecided?: number;
}

export interface ExpectationResult {
  expect: string;
  limit: string;
  value?: number | null;
  outcome: 'held' | 'failed' | 'undecided';
  why?: string;
  place?: string;
  by_agent?: boolean;
}

export interface Fact {
  name: string;
  value: string;
}

export interface FailedExpectation {
  scenario: string;
  turn: number | null;
  expect: string;
  limit: string;
  place: string;
  failed: number;
  judged: number;
  why: string;
  calls: string[];
}

export interface FailedKind {
  kind: string;
  count: number;
  what: string;
  hints: string[];
  calls: string[];
}

export interface FailureSeen {
  kind: 'session.unreachable' | 'session.timeout' | 'session.redirected' | 'session.too_large' | 'session.unauthorized' | 'session.rate_limited' | 'session.rejected' | 'session.server_error' | 'session.not_json' | 'session.incomplete' | 'room.unreachable' | 'room.refused' | 'room.timeout' | 'room.lost' | 'room.publish_failed' | 'agent.never_joined' | 'agent.no_greeting' | 'agent.no_audio' | 'agent.no_reply' | 'agent.left' | 'agent.talks_on' | 'agent.call_too_long' | 'agent.gone_silent' | 'harness.shard_died' | 'harness.disk' | 'harness.bug';
  what: string;
  hint?: string;
  at_ms?: number | null;
  turn?: number | null;
  ended?: boolean;
  fit?: boolean; // true
}

export interface GreetingResult {
  ttfa_ms?: number | null;
  onset_ms?: number | null;
  end_ms?: number | null;
  reply?: string;
  tool_calls?: ToolCallSeen[];
  fit?: boolean; // true
  unfit_why?: Unfit[];
  expectations?: ExpectationResult[];
}

export interface Handover {
  at_ms?: number | null;
  left: string;
  followed: string;
}

export interface Hold {
  step: number;
  calls: number;
  full: boolean;
  sure?: boolean;
  started: string;
  set_up_s: number;
  window_s: number;
  talk_share: number;
  turns: number;
  verdict: 'met' | 'missed' | 'unfit' | 'set_up';
  limited_by?: 'agent' | 'session service' | null;
  why?: string;
  ttfa?: Ttfa;
  failed?: number | null;
  wrong?: number | null;
  objectives?: ThresholdResult[];
  failures?: Record<string, number>;
  own?: OwnState;
  call_ids?: string[];
  observed?: ObservedStat[];
}

export interface InTurnsSettings {
  name: string;
  target: string;
  agent?: string;
  overrides?: Record<string, string>;
  how?: ComparisonSettings;
}

export interface Look {
  number: number;
  planned: number[];
  is_last?: boolean;
}

export interface MachineSettings {
  cpu?: string;
  cores?: number | null;
  memory_gb?: number | null;
}

export interface MediaHealth {
  loss?: number | null;
  concealed?: number | null;
  clipped?: number | null;
  jitter_ms?: number | null;
  rtt_ms?: number | null;
  jitter_buffer_ms?: number | null;
  level_dbfs?: number | null;
  dropouts?: number;
  dropout_ms?: number;
}

export interface MetricSummary {
  count: number;
  min: number;
  mean: number;
  p50: number | null;
  p90: number | null;
  p95: number | null;
  p99: number | null;
  max: number;
  censored?: number;
}

export interface Observed {
  version?: 1;
  prometheus: string;
  started: string;
  until_s: number;
  step_s: number;
  clock?: ServerClock | null;
  error?: string;
  queries?: ObservedQuery[];
}

export interface ObservedQuery {
  name: string;
  query: string;
  series?: ObservedSeries[];
  left_out?: number;
  error?: string;
}

export interface ObservedSeries {
  labels?: Record<string, string>;
  points?: ([number, number | null])[];
}

export interface ObservedStat {
  mean?: number | null;
  max?: number | null;
  query: string;
}

export interface OverTime {
  words: string;
  end_s: number;
  warm_up_s?: number;
  slices: Slice[];
  dots: Dots;
  alive_at_s: number[];
  alive: number[];
}

export interface OwnLateness {
  lag_ms?: number[];
  send_late_ms?: number[];
}

export interface OwnState {
  unfit_turns?: number;
  busy?: number | null;
  lag_ms?: number | null;
  process_cpu?: number | null;
  on_this_machine?: boolean;
}

export interface PassRateResult {
  scenario: string;
  step?: number | 'greeting' | null;
  expect?: string | null;
  of?: string;
  limit?: string | null;
  passed: number;
  decided: number;
  undecided?: number;
  low?: number | null;
  high?: number | null;
  needed?: number | null;
  bound?: number | null;
  ok?: boolean | null;
  pattern?: 'flicker' | 'failure' | null;
  why?: string;
  place?: string;
  ours?: number;
}

export interface PassRateRow {
  state: State;
  name: string;
  needed: string;
  passed: string;
  interval: string;
  undecided: string;
  why: string;
  place: string;
}

export interface PromptSettings {
  file?: string | null;
  first_words?: string;
  sha256?: string;
}

export interface Published {
  version?: 1;
  run: RunSettings;
  summary: Summary | null;
  calls: CallResult[];
  capacity?: Capacity | null;
  observed?: Observed | null;
}

export interface RateSummary {
  count: number;
  failed: number;
  rate: number;
}

export interface Reason {
  code: number;
  what: string;
  count?: number; // 1
  pattern?: 'flicker' | 'failure' | null;
}

export interface Recovery {
  calls: number;
  before_ms: number | null;
  after_ms: number | null;
  ratio?: number | null;
  interval?: [number, number] | null;
  came_back?: boolean | null;
  why?: string;
  step?: Hold | null;
}

export interface Remeasured {
  voices: 'recording' | 'call' | 'none';
  why?: string;
}

export interface RemeasuredCounts {
  from_recordings?: number;
  live_onsets?: Record<string, number>;
  unchanged?: Record<string, number>;
}

export interface RunSettings {
  version?: 1;
  run: string;
  started: string;
  command?: string[];
  target: string;
  agent?: string;
  engine?: string;
  seed?: number | null;
  calls?: number | null;
  repeat?: number; // 1
  rate_per_min?: number | null;
  total?: number | null;
  record?: string; // 'none'
  thresholds: ThresholdSettings[];
  scenarios: Record<string, ScenarioSettings>;
  harness_version?: string;
  python?: string;
  platform?: string;
  packages?: Record<string, string | null>;
  machine?: MachineSettings;
  load?: Record<string, unknown> | null;
  weights?: number[] | null;
  call_duration_s?: number | null;
  session_rate_per_min?: number | null;
  capacity?: SearchSettings | null;
  workers?: (Record<string, unknown>)[] | null;
  refused?: unknown[] | null;
  strict?: boolean;
  ending?: Ending | null;
  calibration?: Record<string, unknown> | null;
  redacted?: boolean;
  baseline?: BaselineSettings | null;
  in_turns?: InTurnsSettings | null;
  look?: Look | null;
}

export interface ScenarioSettings {
  path?: string;
  agent?: string;
  tags?: string[];
  overrides?: Record<string, unknown>;
  prompt?: PromptSettings | null;
  model?: Record<string, unknown>;
  places?: Record<string, string>;
}

export interface SearchSettings {
  objectives: string[];
  start: number;
  max?: number | null;
  max_time_s: number;
  call_duration_s?: number | null;
  session_rate_per_min?: number | null;
}

export interface ServerClock {
  offset_s: number;
  uncertainty_s: number;
}

export interface Shown {
  headline: State;
  patterns?: string[];
  excused?: string[];
  about?: Fact[];
  metrics?: Record<string, ShownMetric>;
  kinds?: FailedKind[];
  expectations?: FailedExpectation[];
  over_time?: OverTime | null;
  observed?: ShownObserved | null;
  thresholds?: ShownThreshold[];
  pass_rates?: PassRateRow[];
  expectation_units?: Record<string, 'ms' | 'percent' | 'ratio' | 'dBFS' | 'none'>;
  bursts?: Burst[];
  recovery?: string;
  calls?: Record<string, ShownCall>;
}

export interface ShownCall {
  repeated_as?: string | null;
  doubted?: Doubted[];
  hints?: string[];
}

export interface ShownComparison {
  verdict: 'regression' | 'improvement' | 'same' | 'not enough data';
  baseline: string;
  rows?: ComparisonRow[];
  differences?: Difference[];
  notes?: string[];
  metrics?: Record<string, ShownMetric>;
}

export interface ShownMetric {
  meaning: string;
  unit: 'ms' | 'percent' | 'ratio' | 'dBFS' | 'none';
  is_rate?: boolean;
  values?: number[];
  censored?: number;
}

export interface ShownObserved {
  words: string;
  is_doubtful?: boolean;
  queries?: ShownQuery[];
}

export interface ShownQuery {
  series?: ShownSeries[];
  note?: string;
}

export interface ShownSeries {
  mean?: number | null;
  max?: number | null;
  name?: string;
}

export interface ShownThreshold {
  value: string;
  limit?: number | null;
}

export interface SinceDue {
  session_asked_ms?: number | null;
  session_answered_ms?: number | null;
  join_asked_ms?: number | null;
  agent_there_ms?: number | null;
}

export interface Slice {
  from_s: number;
  until_s: number;
  alive?: number;
  turns?: number;
  p50_ms?: number | null;
  p95_ms?: number | null;
  failures?: Record<string, number>;
}

export interface SmallestEffect {
  share?: number; // 0.1
  ms?: number; // 50.0
  rate?: number; // 0.05
  ratio?: number; // 0.01
  db?: number; // 3.0
}

export interface Sound {
  src?: string;
  problem?: string;
  duration_s?: number;
  peaks_per_s?: number; // 100
  caller?: string;
  agent?: string;
  embedded?: boolean;
}

export interface State {
  sign: string;
  words: string;
  tone: 'ok' | 'bad' | 'warn' | 'quiet';
}

export interface Summary {
  version?: 1;
  verdict: 'pass' | 'fail' | 'usage' | 'infrastructure' | 'unfit' | 'interrupted';
  exit_code: number;
  reasons: Reason[];
  target: string;
  definitions?: number; // 3
  calls: CallCounts;
  metrics?: Record<string, MetricSummary | RateSummary>;
  thresholds?: ThresholdResult[];
  pass_rates?: PassRateResult[];
  expectations?: Record<string, ExpectationCounts>;
  failures?: Record<string, number>;
  excused?: Record<string, number>;
  canaries?: CanarySummary | null;
  calibration?: unknown;
  remeasured?: RemeasuredCounts | null;
  testbed?: Testbed | null;
}

export interface Testbed {
  cpu?: string;
  cores?: number | null;
  memory_gb?: number | null;
  platform?: string;
  engine?: string;
  harness_version?: string;
  definitions: number;
  calibration?: CalibratedError | null;
}

export interface ThresholdResult {
  metric: string;
  limit: string;
  value: number | null;
  samples: number;
  ok: boolean | null;
  why?: string;
  no_sample?: 'none' | 'late' | 'doubtful' | null;
}

export interface ThresholdSettings {
  metric: string;
  limit: string;
  where: string;
  abort_after_s?: number | null;
}

export interface ToolCallSeen {
  name: string;
  arguments?: Record<string, unknown>;
  result?: unknown;
  ms?: number | null;
  ok?: boolean; // true
  at_ms?: number | null;
  shortened?: boolean;
}

export interface TrackHeard {
  identity: string;
  name?: string;
  source?: string;
  came_ms?: number | null;
  gone_ms?: number | null;
  background?: boolean;
}

export interface Ttfa {
  count?: number;
  p50?: number | null;
  p95?: number | null;
}

export interface TurnResult {
  turn: number;
  step?: number | null;
  kind: 'say' | 'type' | 'barge_in';
  text: string;
  fixture?: string | null;
  language?: string; // 'en'
  started_ms?: number | null;
  ended_ms?: number | null;
  caller_start_ms?: number | null;
  caller_end_ms?: number | null;
  agent_onset_ms?: number | null;
  agent_stop_ms?: number | null;
  ttfa_ms?: number | null;
  awaited_ms?: number | null;
  ttfa_ear_ms?: number | null;
  first_sound_ms?: number | null;
  transcript_ms?: number | null;
  transcript?: string;
  echo_ms?: number | null;
  reply_text_ms?: number | null;
  reply?: string;
  tool_calls?: ToolCallSeen[];
  wer?: number | null;
  wer_pair?: [string, string] | null;
  interrupted?: boolean;
  backchannels?: number;
  talk_over_ms?: number | null;
  dead_air_ms?: number | null;
  own_voice_db?: number | null;
  exercised?: boolean | null;
  stop_ms?: number | null;
  false_stop?: boolean | null;
  ends_call_ms?: number | null;
  advice?: string | null;
  fit?: boolean; // true
  unfit_why?: Unfit[];
  ran_out?: string | null;
  doubtful?: Doubt[];
  cut?: boolean;
  expectations?: ExpectationResult[];
}

export interface Unfit {
  detail?: string;
  kind: 'packet_late' | 'packets_late' | 'overflow' | 'read_late' | 'buffer_grew' | 'jittered' | 'slow_round_trip' | 'audio_missing' | 'no_cpu_left' | 'line_away' | 'self_fault' | 'other';
  figure?: number | null;
  of?: number | null;
  name?: string;
}

export interface WaitResult {
  after_turn: number;
  step?: number | null;
  started_ms?: number | null;
  ended_ms?: number | null;
  agent_spoke_ms?: number | null;
  fit?: boolean; // true
  expectations?: ExpectationResult[];
}
