package main

import (
	"log/slog"
	"path/filepath"
	"time"
)

// Config is everything that can be set, as the program uses it. The struct tags
// are the single source of the variables' names (env), defaults (envDefault),
// limits (min, max) and documentation (doc); "kalami config doc", .env.example
// and the error messages are made from them.
//
// An empty variable means its default. Each variable whose type can hold a secret
// (Secret, Database, Redis, SMTP) may instead be given as NAME_FILE, the path of a file
// whose trimmed content is the value.
type Config struct {
	Server     ServerConfig     `group:"Server"`
	Log        LogConfig        `group:"Log"`
	Metrics    MetricsConfig    `group:"Metrics"`
	Storage    StorageConfig    `group:"Storage"`
	Accounts   AccountsConfig   `group:"Accounts"`
	Mail       MailConfig       `group:"Mail"`
	Sessions   SessionsConfig   `group:"Conversations"`
	Drafts     DraftsConfig     `group:"Drafts: answers begun before the learner's turn has ended"`
	Learning   LearningConfig   `group:"Learning"`
	Deepgram   DeepgramConfig   `group:"Deepgram: hears the learner"`
	Anthropic  AnthropicConfig  `group:"Anthropic: Claude, the tutor's first choice"`
	OpenAI     OpenAIConfig     `group:"OpenAI: GPT when Claude is not there; Whisper and voices"`
	ElevenLabs ElevenLabsConfig `group:"ElevenLabs: speaks"`
	LLM        LLMConfig        `group:"Own language model, OpenAI-compatible"`
	STT        STTConfig        `group:"Own recogniser, OpenAI-compatible"`
	TTS        TTSConfig        `group:"Own voice, OpenAI-compatible"`
	Speech     SpeechConfig     `group:"Recordings and clips"`
	Azure      AzureConfig      `group:"Azure Speech: judges pronunciation of learners who agree"`
	SpeechAce  SpeechAceConfig  `group:"SpeechAce: judges pronunciation where Azure is not set up or does not"`
}

// ServerConfig is about the listening side.
type ServerConfig struct {
	Name           string        `env:"APP_NAME" envDefault:"Kalami" doc:"The name shown on pages and at /."`
	Debug          bool          `env:"DEBUG" envDefault:"false" doc:"Log at debug level unless KALAMI_LOG_LEVEL says otherwise. Shows mails that cannot be sent at /debug/outbox, to this machine alone. Never turns a safeguard off."`
	Host           string        `env:"HOST" envDefault:"127.0.0.1" doc:"Address to listen on. The default can be reached from this machine alone; 0.0.0.0 means every network it is on."`
	Port           int           `env:"PORT" envDefault:"8000" min:"0" max:"65535" doc:"Port to listen on; 0 takes any free one and logs it."`
	AllowedOrigins Origins       `env:"KALAMI_ALLOWED_ORIGINS" doc:"Web pages from elsewhere that may call, as exact scheme://host[:port], separated by commas. Empty: only our own."`
	TrustedProxies Networks      `env:"KALAMI_TRUSTED_PROXIES" doc:"Networks in CIDR form, separated by commas, whose X-Forwarded-For is believed. Empty: nobody's."`
	BodyMemory     int           `env:"KALAMI_BODY_MEMORY" envDefault:"128" min:"32" max:"65536" doc:"MiB that the requests under way may have sent together; an upload beyond is asked to try again."`
	Node           string        `env:"KALAMI_NODE" doc:"This node's name among those that share the database and Redis, for people who look there. Empty: a random one."`
	ShutdownGrace  time.Duration `env:"KALAMI_SHUTDOWN_GRACE" envDefault:"30s" min:"0s" max:"10m" doc:"How long a stopping server has to send its learners to other nodes, or, where there is none, to finish the sentences being spoken."`
	DrainWait      time.Duration `env:"KALAMI_DRAIN_WAIT" envDefault:"5s" min:"0s" max:"5m" doc:"How long a stopping server that has other nodes goes on before it sends learners there, so that the load balancer has noticed; at most a quarter of KALAMI_SHUTDOWN_GRACE."`
}

// LogConfig is about the log on standard error.
type LogConfig struct {
	Level  slog.Level `env:"KALAMI_LOG_LEVEL" envDefault:"INFO" doc:"DEBUG, INFO, WARN or ERROR. What learners say is not logged at any level."`
	Format LogFormat  `env:"KALAMI_LOG_FORMAT" envDefault:"text" doc:"text for people, json for machines."`
	// HistoryDir is for tests: the history is written at every message and frame.
	HistoryDir string `env:"KALAMI_HISTORY_DIR" doc:"Folder where this node writes down what it does, for kalami verify: ids, numbers and hashes of texts, from which short texts can be guessed. For tests, not for service. Empty: nowhere."`
}

// StorageConfig is where things are kept.
type StorageConfig struct {
	Database    Database `env:"DATABASE_URL" doc:"postgres://user:password@host/name, or sqlite:///path (four slashes for an absolute path). Empty: the SQLite file kalami.db in KALAMI_DATA_DIR."`
	DataDir     string   `env:"KALAMI_DATA_DIR" envDefault:"." doc:"Folder of the SQLite file when DATABASE_URL is empty."`
	Redis       Redis    `env:"REDIS_URL" doc:"redis:// or rediss:// URL; a cluster is named by two or three of its servers, redis://one:6379?addr=two:6379&addr=three:6379, or by one with ?cluster=true. Empty: live state in this process, for a single node."`
	RedisPrefix string   `env:"KALAMI_REDIS_PREFIX" envDefault:"kalami" doc:"What the names of all keys and channels in Redis begin with; each of several systems that share one Redis, staging beside production, has its own. Letters, digits, '-', '_' and '.', at most 32."`
}

// AccountsConfig is about who may talk.
type AccountsConfig struct {
	SecretKey         Secret  `env:"SECRET_KEY" doc:"Signs access tokens; at least 32 bytes. Empty with SQLite: one is made and kept beside the database file. Required with Postgres."`
	PreviousSecretKey Secret  `env:"KALAMI_SECRET_KEY_PREVIOUS" doc:"A key that is being replaced: its tokens stay valid, new ones are signed with SECRET_KEY."`
	AccessMinutes     int     `env:"ACCESS_TOKEN_EXPIRE_MINUTES" envDefault:"30" min:"1" max:"1440" doc:"How long an access token is valid, in minutes."`
	RefreshDays       int     `env:"KALAMI_REFRESH_TOKEN_EXPIRE_DAYS" envDefault:"30" min:"1" max:"365" doc:"How many days somebody stays signed in without using it."`
	Guests            bool    `env:"KALAMI_GUESTS" envDefault:"true" doc:"Whether somebody may try the tutor without signing up."`
	RateLimits        bool    `env:"KALAMI_RATE_LIMITS" envDefault:"true" doc:"Whether sign-ups, sign-ins, new conversations and calls are bounded per address and account. Off is for load tests, whose learners all come from one address."`
	Rates             RateMap `env:"KALAMI_RATES" doc:"Rates that differ from the built-in ones, such as speaking=30/m:20,joins=off: so many in a s, m or h, and so many at once. Names: reading, writing, speaking (per account), guests (their speaking), handshakes, open, strangers, joins, logins."`
}

// AccessTTL is how long an access token is valid.
func (c AccountsConfig) AccessTTL() time.Duration {
	return time.Duration(c.AccessMinutes) * time.Minute
}

// RefreshTTL is how long a refresh token is valid unless it is used.
func (c AccountsConfig) RefreshTTL() time.Duration {
	return time.Duration(c.RefreshDays) * 24 * time.Hour
}

// SessionsConfig bounds conversations.
type SessionsConfig struct {
	Max          int           `env:"KALAMI_MAX_SESSIONS" envDefault:"1000" min:"1" max:"1000000" doc:"Conversations at the same time on this node; the next one is refused with Retry-After."`
	Memory       int           `env:"KALAMI_MEMORY_BUDGET" envDefault:"0" min:"0" max:"1048576" doc:"MiB of memory. The process tries to keep within it; while it cannot, the node takes no new conversations, and keeps those that it has. 0 is without limit."`
	PerUser      int           `env:"KALAMI_SESSIONS_PER_USER" envDefault:"2" min:"1" max:"100" doc:"Conversations that one learner may hold at the same time, over all nodes."`
	PerTenant    int           `env:"KALAMI_SESSIONS_PER_TENANT" envDefault:"500" min:"0" max:"1000000" doc:"Conversations that the learners of one school may hold together, over all nodes, unless its settings say {\"sessions\":{\"most\":…}}; 0 is without limit. Learners without a school are not counted."`
	MaxDuration  time.Duration `env:"KALAMI_MAX_DURATION" envDefault:"30m" min:"1s" max:"24h" doc:"The longest conversation."`
	IdleTimeout  time.Duration `env:"KALAMI_IDLE_TIMEOUT" envDefault:"3m" min:"1s" max:"24h" doc:"A conversation ends after this long without speech."`
	MaxAhead     time.Duration `env:"KALAMI_MAX_AHEAD" envDefault:"1500ms" min:"100ms" max:"10s" doc:"How much unplayed audio the server sends ahead of what the learner hears."`
	ResumeWindow time.Duration `env:"KALAMI_RESUME_WINDOW" envDefault:"10m" min:"1s" max:"24h" doc:"How long a client whose connection was lost can go on with the conversation by itself, on any node."`
	WarmTime     time.Duration `env:"KALAMI_WARM_TIME" envDefault:"30s" min:"1s" max:"10m" doc:"How much of that the conversation waits in memory, with its vendors connected."`
	AbandonAfter time.Duration `env:"KALAMI_ABANDON_AFTER" envDefault:"24h" min:"1m" max:"8760h" doc:"How much longer the learner can continue the conversation with a new ticket before it counts as abandoned."`
	TenantShare  int           `env:"KALAMI_TENANT_SHARE" envDefault:"80" min:"1" max:"100" doc:"Percent of the calls that may be under way at one vendor (recognition: KALAMI_MAX_SESSIONS) which one school may take; more of its calls go to the next vendor, so that others are never without. 100 for a node of one school. Learners without a school have no such bound."`
	Nudges       bool          `env:"KALAMI_NUDGES" envDefault:"true" doc:"Whether a silent learner is helped: after 10 s a hint, after 16 s the question again, after 30 s two answers to choose from, and after 90 s a pause in which no vendor is paid."`
	TurnLimit    time.Duration `env:"KALAMI_TURN_LIMIT" envDefault:"60s" min:"10s" max:"10m" doc:"How long a learner may talk in one turn before the tutor comes in, kindly, at the next pause."`
}

// DraftsConfig bounds what drafts may cost in vain: those that are dropped, because the
// learner went on. A school may turn them off for itself.
type DraftsConfig struct {
	Enabled    bool `env:"KALAMI_DRAFTS" envDefault:"true" doc:"Whether answers are begun while the learner may still be thinking, and held, so that patience costs no time. A school turns them off for itself: {\"drafts\": {\"enabled\": false}} in the column settings of its row in the table tenants."`
	ExtraCalls int  `env:"KALAMI_DRAFT_EXTRA_CALLS" envDefault:"30" min:"1" max:"300" doc:"How many calls of the language model may go to dropped drafts for each 100 turns answered."`
	PerMinute  int  `env:"KALAMI_DRAFT_BUDGET" envDefault:"6" min:"1" max:"1000" doc:"Drafts that one conversation may drop in a minute."`
	Calls      int  `env:"KALAMI_DRAFT_NODE_BUDGET" envDefault:"300" min:"1" max:"1000000" doc:"Drafts that all conversations of this node together may drop in a minute."`
	Tokens     int  `env:"KALAMI_DRAFT_NODE_TOKENS" envDefault:"30000" min:"1" max:"1000000000" doc:"Tokens of the language model that they may waste in a minute."`
	Characters int  `env:"KALAMI_DRAFT_NODE_CHARACTERS" envDefault:"60000" min:"1" max:"1000000000" doc:"Characters given to the voice that they may waste in a minute."`
	Load       int  `env:"KALAMI_DRAFT_LOAD" envDefault:"80" min:"1" max:"100" doc:"Percent of KALAMI_MAX_SESSIONS from which on no draft is begun. Nor is one while the language model refuses for want of capacity."`
}

// LearningConfig is about what is taught.
type LearningConfig struct {
	WordsDir string `env:"KALAMI_WORDS_DIR" doc:"Folder of lists that say at which level words are learned, such as those of CEFR-J and Octanove: CSV in UTF-8 with the columns headword and CEFR, named by their language as in en-cefrj.csv. A list that is broken is refused at the start, with its line. Empty: the program's own short lists."`
}

// DeepgramConfig is the live recogniser.
type DeepgramConfig struct {
	Key             Secret        `env:"DEEPGRAM_API_KEY" doc:"Turns Deepgram on. Of its two engines the other one takes over when one fails, and after both KALAMI_STT_BASE_URL or OpenAI, by segments."`
	BaseURL         BaseURL       `env:"DEEPGRAM_BASE_URL" envDefault:"https://api.deepgram.com" doc:"Where Deepgram is; the socket's scheme follows."`
	NovaModel       string        `env:"KALAMI_DEEPGRAM_MODEL" envDefault:"nova-3" doc:"Model for languages that Flux does not know, and for recordings."`
	FluxModel       string        `env:"KALAMI_FLUX_MODEL" envDefault:"flux-general-multi" doc:"Model for de, en, es, fr, hi, it, ja, nl, pt and ru."`
	Engines         EngineMap     `env:"KALAMI_STT_LANGUAGES" doc:"Which of the two hears a language, where the default is not wanted: es=nova,ko=flux."`
	Endpointing     time.Duration `env:"KALAMI_DEEPGRAM_ENDPOINTING" envDefault:"500ms" min:"10ms" max:"5s" doc:"The pause at which Nova makes its words final. It does not end a turn; a short one cuts hesitant sentences into pieces that are recognised worse."`
	DialTimeout     time.Duration `env:"KALAMI_DEEPGRAM_DIAL_TIMEOUT" envDefault:"2s" min:"10ms" max:"1m" doc:"How long opening a recognition stream may take."`
	ReplaySpeed     int           `env:"KALAMI_DEEPGRAM_REPLAY_SPEED" envDefault:"4" min:"1" max:"100" doc:"How many times faster than it was spoken the last seconds are said again to a stream that takes over from one that was lost."`
	RecordedTimeout time.Duration `env:"KALAMI_DEEPGRAM_RECORDED_TIMEOUT" envDefault:"20s" min:"10ms" max:"5m" doc:"How long the transcript of a recording may take."`
}

// AnthropicConfig is Claude.
type AnthropicConfig struct {
	Key               Secret        `env:"ANTHROPIC_API_KEY" doc:"Turns Claude on."`
	BaseURL           BaseURL       `env:"ANTHROPIC_BASE_URL" envDefault:"https://api.anthropic.com" doc:"Where the Anthropic API is."`
	Model             string        `env:"KALAMI_ANTHROPIC_MODEL" envDefault:"claude-haiku-5-5" doc:"Model of the tutor."`
	AnalysisModel     string        `env:"KALAMI_ANTHROPIC_ANALYSIS_MODEL" doc:"Model that finds mistakes and new words beside the conversation; a small, fast one does. Empty: the tutor's."`
	FirstTokenTimeout time.Duration `env:"KALAMI_ANTHROPIC_FIRST_TOKEN_TIMEOUT" envDefault:"2s" min:"10ms" max:"1m" doc:"How long the first word may take before the next model is asked."`
}

// OpenAIConfig is GPT, Whisper and OpenAI's voices.
type OpenAIConfig struct {
	Key               Secret        `env:"OPENAI_API_KEY" doc:"Turns OpenAI on, for every part that no vendor above and no own engine serves."`
	BaseURL           BaseURL       `env:"OPENAI_BASE_URL" envDefault:"https://api.openai.com/v1" doc:"Where the OpenAI API is, with its version."`
	Model             string        `env:"KALAMI_OPENAI_MODEL" envDefault:"gpt-5.4-mini" doc:"Model of the tutor."`
	AnalysisModel     string        `env:"KALAMI_OPENAI_ANALYSIS_MODEL" doc:"Model that finds mistakes and new words. Empty: the tutor's."`
	STTModel          string        `env:"KALAMI_OPENAI_STT_MODEL" envDefault:"whisper-1" doc:"Model for recordings, and for learners when Deepgram cannot hear them."`
	STTTimeout        time.Duration `env:"KALAMI_OPENAI_STT_TIMEOUT" envDefault:"20s" min:"10ms" max:"5m" doc:"How long the transcript of a recording may take."`
	TTSModel          string        `env:"KALAMI_OPENAI_TTS_MODEL" envDefault:"gpt-4o-mini-tts" doc:"Model that speaks."`
	Voice             string        `env:"KALAMI_OPENAI_VOICE" envDefault:"coral" doc:"Voice that speaks."`
	FirstTokenTimeout time.Duration `env:"KALAMI_OPENAI_FIRST_TOKEN_TIMEOUT" envDefault:"4s" min:"10ms" max:"1m" doc:"How long the first word may take."`
	FirstByteTimeout  time.Duration `env:"KALAMI_OPENAI_FIRST_BYTE_TIMEOUT" envDefault:"4s" min:"10ms" max:"1m" doc:"How long the first sound may take."`
}

// ElevenLabsConfig is the voice.
type ElevenLabsConfig struct {
	Key              Secret        `env:"ELEVENLABS_API_KEY" doc:"Turns ElevenLabs on."`
	BaseURL          BaseURL       `env:"ELEVENLABS_BASE_URL" envDefault:"https://api.elevenlabs.io" doc:"Where ElevenLabs is; the socket's scheme follows."`
	Model            string        `env:"KALAMI_ELEVENLABS_MODEL" envDefault:"eleven_flash_v2_5" doc:"Model that speaks; one that has a WebSocket."`
	Voices           VoiceMap      `env:"KALAMI_VOICES" doc:"Voice ids by language, where the built-in choice is not wanted: es=EXAVITQu4vr4xnSDxMaL,fr=…"`
	DialTimeout      time.Duration `env:"KALAMI_ELEVENLABS_DIAL_TIMEOUT" envDefault:"2s" min:"10ms" max:"1m" doc:"How long opening the voice's socket may take."`
	FirstByteTimeout time.Duration `env:"KALAMI_ELEVENLABS_FIRST_BYTE_TIMEOUT" envDefault:"2s" min:"10ms" max:"1m" doc:"How long the first sound of a sentence may take."`
}

// LLMConfig is a language model of one's own, such as an Ollama or a vLLM.
type LLMConfig struct {
	BaseURL           BaseURL       `env:"KALAMI_LLM_BASE_URL" doc:"An engine that speaks OpenAI's chat completions, such as http://127.0.0.1:11434/v1. Turns that part on; no key is needed."`
	Key               Secret        `env:"KALAMI_LLM_API_KEY" doc:"Its key, if it wants one."`
	Model             string        `env:"KALAMI_LLM_MODEL" doc:"The model's name as the engine knows it. Empty: the one in KALAMI_OPENAI_MODEL."`
	AnalysisModel     string        `env:"KALAMI_LLM_ANALYSIS_MODEL" doc:"Model that finds mistakes and new words. Empty: the tutor's."`
	FirstTokenTimeout time.Duration `env:"KALAMI_LLM_FIRST_TOKEN_TIMEOUT" envDefault:"10s" min:"10ms" max:"5m" doc:"How long the first word may take."`
}

// STTConfig is a recogniser of one's own, such as a Whisper server.
type STTConfig struct {
	BaseURL BaseURL       `env:"KALAMI_STT_BASE_URL" doc:"An engine that speaks OpenAI's audio transcriptions. It hears recordings, and learners when Deepgram cannot or has no key: each stretch of voice when it is over. No key is needed."`
	Key     Secret        `env:"KALAMI_STT_API_KEY" doc:"Its key, if it wants one."`
	Model   string        `env:"KALAMI_STT_MODEL" envDefault:"whisper-1" doc:"The model's name as the engine knows it."`
	Timeout time.Duration `env:"KALAMI_STT_TIMEOUT" envDefault:"10s" min:"10ms" max:"5m" doc:"How long the transcript of one utterance may take."`
}

// TTSConfig is a voice of one's own, such as a Kokoro server.
type TTSConfig struct {
	BaseURL          BaseURL       `env:"KALAMI_TTS_BASE_URL" doc:"An engine that speaks OpenAI's audio speech. Turns that part on; no key is needed."`
	Key              Secret        `env:"KALAMI_TTS_API_KEY" doc:"Its key, if it wants one."`
	Model            string        `env:"KALAMI_TTS_MODEL" envDefault:"tts-1" doc:"The model's name as the engine knows it."`
	Voice            string        `env:"KALAMI_TTS_VOICE" envDefault:"alloy" doc:"The voice's name as the engine knows it."`
	FirstByteTimeout time.Duration `env:"KALAMI_TTS_FIRST_BYTE_TIMEOUT" envDefault:"10s" min:"10ms" max:"5m" doc:"How long the first sound may take."`
}

// SpeechConfig is about speech that is not live: recordings that are sent whole, and
// clips. Whisper stands for the engine at KALAMI_STT_BASE_URL, else for OpenAI.
type SpeechConfig struct {
	STTFallback bool          `env:"KALAMI_STT_FALLBACK" envDefault:"true" doc:"Whether Deepgram hears a recording when Whisper cannot, and the other way round."`
	TTSFallback bool          `env:"KALAMI_TTS_FALLBACK" envDefault:"true" doc:"Whether OpenAI speaks a clip when ElevenLabs cannot, and the other way round."`
	ClipCache   int           `env:"KALAMI_CLIP_CACHE" envDefault:"32" min:"0" max:"4096" doc:"Memory in MiB, in Redis, for clips of short texts that are asked for again and again; 0 keeps none. Tutors' answers are never kept."`
	ClipTTL     time.Duration `env:"KALAMI_CLIP_TTL" envDefault:"24h" min:"1s" max:"720h" doc:"How long a clip is kept that nobody asks for."`
}

// databaseFile is the SQLite file's name when no other was given.
const databaseFile = "kalami.db"

func defaultDatabase(dir string) Database {
	return Database{Dialect: SQLite, Path: filepath.Join(dir, databaseFile)}
}

// complete fills in what follows from other values. set says whether a variable
// was given anywhere.
func (c *Config) complete(set func(name string) bool) {
	if c.Storage.Database == (Database{}) {
		c.Storage.Database = defaultDatabase(c.Storage.DataDir)
	}
	if c.Server.Debug && !set("KALAMI_LOG_LEVEL") {
		c.Log.Level = slog.LevelDebug
	}
	if c.LLM.Model == "" {
		c.LLM.Model = c.OpenAI.Model
	}
}

// SecretKeyPath is where the key is kept when SECRET_KEY is not set: beside the
// SQLite file. Empty with Postgres, where the key must be set.
func (c *Config) SecretKeyPath() string {
	if c.Storage.Database.Dialect != SQLite {
		return ""
	}
	return c.Storage.Database.Path + ".key"
}
