/** What a site takes from this folder: the component, or the functions without it. */
export { CallView, type CallViewProps, type CallViewState } from './CallView';
export type { Message, Role } from './conversation';
export { SESSION_ROUTE, SessionError, type SessionRequest } from './session';
export {
  type AgentState,
  allowAudio,
  type CallOptions,
  type CallSnapshot,
  type CallState,
  endVoiceAgentCall,
  microphoneLevel,
  type MicrophoneState,
  sendTextMessage,
  setMicrophoneMuted,
  startVoiceAgentCall,
  type VoiceAgentCall,
} from './voice-agent';
