// made by `make generate`; do not edit

/** A question that only a person may answer: what, where, with what effect. `digest` is the hash of exactly what is shown; an answer must carry it, so consent never covers more. */
export type Approval = {
  id: string;
  run_id: string;
  call_id: string;
  tool: string;
  title: string;
  detail?: Array<[string, string]>;
  pattern?: string;
  digest: string;
};

/** A person's answer to an approval, bound to what was shown. */
export type ApprovalAnswer = {
  approval_id: string;
  digest: string;
  choice: "allow_once" | "allow_session" | "deny";
  reason?: string;
  pattern?: string;
};

/** A person decided. */
export type ApprovalAnswered = {
  type?: "approval.answered";
  run_id: string;
  answer: ApprovalAnswer;
  by?: string;
};

/** A person must decide before the run goes on. */
export type ApprovalAsked = {
  type?: "approval.asked";
  approval: Approval;
};

/** The question no longer stands, since its run ended. */
export type ApprovalWithdrawn = {
  type?: "approval.withdrawn";
  run_id: string;
  approval_id: string;
};

/** A change set stands in all its files. */
export type ChangeLanded = {
  type?: "change.landed";
  run_id: string;
  change_set: string;
  title: string;
  step: number;
  files: Array<FileLanded>;
};

/** A change set was refused; nothing was changed. */
export type ChangeRefused = {
  type?: "change.refused";
  run_id: string;
  change_set: string;
  reason: string;
};

/** A change set was taken back (or, with `redone`, put back). */
export type ChangeUndone = {
  type?: "change.undone";
  change_set: string;
  redone?: boolean;
};

/** An event in its place in a session's log. `seq` counts from 1; a transient one repeats the last. */
export type Entry = {
  session_id: string;
  seq: number;
  at: number;
  event: SessionCreated | SessionConfigured | SessionRewound | RunStarted | RunFinished | TurnStarted | StageChanged | TextStreamed | ThinkingStreamed | StreamRestarted | MessageAdded | ToolStarted | ToolStreamed | ToolFinished | ApprovalAsked | ApprovalAnswered | ApprovalWithdrawn | ChangeLanded | ChangeRefused | ChangeUndone | HunkResolved | ErrorRaised | PlanChanged | NoteTaken;
};

/** Something failed beside the run, which goes on; shown once. */
export type ErrorRaised = {
  type?: "error.raised";
  run_id?: string | null;
  where: string;
  message: string;
  hint?: string;
};

/** A file that is no picture, base64 in `data`: a PDF, a text, a table. */
export type File = {
  type?: "file";
  media_type: string;
  name: string;
  data: string;
};

/** What became of one file. An empty hash stands for a file that is not there. */
export type FileLanded = {
  uri: string;
  path: string;
  before_hash: string;
  after_hash: string;
  version?: number | null;
  renamed_from?: string;
};

/** A person accepted or rejected a hunk. */
export type HunkResolved = {
  type?: "hunk.resolved";
  change_set: string;
  hunk: string;
  resolution: "pending" | "accepted" | "rejected";
};

/** A picture, base64 in `data`. */
export type Image = {
  type?: "image";
  media_type: string;
  data: string;
};

/** One side's turn to speak. Tool results travel in user messages. */
export type Message = {
  role: "user" | "assistant";
  parts: Array<Text | Image | File | Thinking | ToolCall | ToolResult>;
  model?: string;
};

/** A message joined the conversation; usage and cost are those of the call that made it. */
export type MessageAdded = {
  type?: "message.added";
  run_id: string;
  message: Message;
  usage?: Usage | null;
  cost_usd?: number;
  bill?: string;
};

/** The agent wrote something down for itself. */
export type NoteTaken = {
  type?: "note.taken";
  run_id: string;
  text: string;
};

export type Op = OpPrompt | OpSteer | OpInterrupt | OpAnswer | OpConfigure | OpRewind | OpClose;

/** Answer an approval. */
export type OpAnswer = {
  type?: "answer";
  answer: OpApprovalAnswer;
};

/** A person's answer to an approval, bound to what was shown. */
export type OpApprovalAnswer = {
  approval_id: string;
  digest: string;
  choice: "allow_once" | "allow_session" | "deny";
  reason?: string;
  pattern?: string;
};

/** End the session's life in this process; its log stays. */
export type OpClose = {
  type?: "close";
};

/** Change the model or the mode, from the next turn on. */
export type OpConfigure = {
  type?: "configure";
  model?: string | null;
  mode?: "build" | "plan" | "explore" | null;
};

/** A file that is no picture, base64 in `data`: a PDF, a text, a table. */
export type OpFile = {
  type?: "file";
  media_type: string;
  name: string;
  data: string;
};

/** A picture, base64 in `data`. */
export type OpImage = {
  type?: "image";
  media_type: string;
  data: string;
};

/** Stop the run under way; what was accepted stays. */
export type OpInterrupt = {
  type?: "interrupt";
};

/** Start a run. */
export type OpPrompt = {
  type?: "prompt";
  parts: Array<OpText | OpImage | OpFile | OpThinking | OpToolCall | OpToolResult>;
  title?: string;
};

/** Forget everything after the event `seq`. */
export type OpRewind = {
  type?: "rewind";
  seq: number;
};

/** Say something to the run under way; it is heard before the next turn. */
export type OpSteer = {
  type?: "steer";
  text: string;
};

/** Words. */
export type OpText = {
  type?: "text";
  text: string;
};

/** A model's reasoning; goes back to the wire it came from with its signature, and to no other. */
export type OpThinking = {
  type?: "thinking";
  text?: string;
  signature?: string;
  redacted?: string;
};

/** A model's wish to run a tool. Only complete calls with valid JSON arguments ever become one. */
export type OpToolCall = {
  type?: "tool_call";
  id: string;
  name: string;
  arguments: Record<string, unknown>;
};

/** What a tool answered. */
export type OpToolResult = {
  type?: "tool_result";
  call_id: string;
  name: string;
  text: string;
  images?: Array<OpImage>;
  is_error?: boolean;
};

/** A citation: lines of one file, counted from 1, both ends included. Columns count code points from 1. */
export type Place = {
  path: string;
  line: number;
  column?: number;
  end_line?: number | null;
  end_column?: number | null;
};

/** The agent's plan is another, or a step of it has moved. */
export type PlanChanged = {
  type?: "plan.changed";
  run_id: string;
  steps: Array<PlanStep>;
};

/** A step of the agent's plan, as everybody sees it. */
export type PlanStep = {
  text: string;
  state?: "pending" | "in_progress" | "completed";
};

/** The run is over, for this reason and at this cost. */
export type RunFinished = {
  type?: "run.finished";
  run_id: string;
  stop_reason: "end_turn" | "max_turns" | "max_tokens" | "budget" | "interrupted" | "approval_needed" | "edit_refused" | "refusal" | "error";
  usage: Usage;
  cost_usd: number;
  turns?: number;
  tool_calls?: number;
  seconds?: number;
  error?: string;
  hint?: string;
};

/** The user asked for something. */
export type RunStarted = {
  type?: "run.started";
  run_id: string;
  parts: Array<Text | Image | File | Thinking | ToolCall | ToolResult>;
  title?: string;
};

/** The model, the mode or the title changed. */
export type SessionConfigured = {
  type?: "session.configured";
  model?: string | null;
  mode?: "build" | "plan" | "explore" | null;
  title?: string | null;
};

/** A session began, maybe as a fork of another at one of its events. */
export type SessionCreated = {
  type?: "session.created";
  cwd: string;
  model: string;
  mode: "build" | "plan" | "explore";
  parent?: string | null;
  parent_seq?: number | null;
};

/** Everything after event `to_seq` no longer counts, though the log still tells it. */
export type SessionRewound = {
  type?: "session.rewound";
  to_seq: number;
};

/** The run moved on: from planning to reading, from executing to verifying. */
export type StageChanged = {
  type?: "stage.changed";
  run_id: string;
  stage: "INITIAL" | "PLANNING" | "READING" | "EXECUTING" | "VERIFYING" | "COMPLETION";
};

/** The answer so far was lost on the way and is asked for again: what was streamed of this turn no longer counts. */
export type StreamRestarted = {
  type?: "stream.restarted";
  run_id: string;
  reason?: string;
};

/** Words. */
export type Text = {
  type?: "text";
  text: string;
};

/** A piece of the answer, as it comes. */
export type TextStreamed = {
  type?: "text.delta";
  run_id: string;
  text: string;
};

/** A model's reasoning; goes back to the wire it came from with its signature, and to no other. */
export type Thinking = {
  type?: "thinking";
  text?: string;
  signature?: string;
  redacted?: string;
};

/** A piece of the reasoning, as it comes. */
export type ThinkingStreamed = {
  type?: "thinking.delta";
  run_id: string;
  text: string;
};

/** A model's wish to run a tool. Only complete calls with valid JSON arguments ever become one. */
export type ToolCall = {
  type?: "tool_call";
  id: string;
  name: string;
  arguments: Record<string, unknown>;
};

/** A tool call is over. */
export type ToolFinished = {
  type?: "tool.finished";
  run_id: string;
  call_id: string;
  name: string;
  text: string;
  title?: string;
  places?: Array<Place>;
  images?: Array<Image>;
  data?: Record<string, unknown>;
  change_set?: string | null;
  is_error?: boolean;
  cached?: boolean;
  seconds?: number;
};

/** What a tool answered. */
export type ToolResult = {
  type?: "tool_result";
  call_id: string;
  name: string;
  text: string;
  images?: Array<Image>;
  is_error?: boolean;
};

/** A tool call is about to run; logged before it does. */
export type ToolStarted = {
  type?: "tool.started";
  run_id: string;
  call_id: string;
  name: string;
  arguments: Record<string, unknown>;
  title?: string;
  once?: boolean;
};

/** A piece of a running tool's output, as it comes. */
export type ToolStreamed = {
  type?: "tool.delta";
  run_id: string;
  call_id: string;
  text: string;
};

/** The model was asked for its next answer. */
export type TurnStarted = {
  type?: "turn.started";
  run_id: string;
  turn: number;
  model: string;
};

/** Tokens of one or more calls, as the provider counted them. `input_tokens` holds all input, cached or not; `cached_tokens` and `cache_write_tokens` are parts of it. `output_tokens` holds `reasoning_tokens`. */
export type Usage = {
  input_tokens?: number;
  output_tokens?: number;
  cached_tokens?: number;
  cache_write_tokens?: number;
  reasoning_tokens?: number;
};
