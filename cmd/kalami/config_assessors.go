package main

import "time"

// AzureConfig is Azure Speech, which judges pronunciation by its sounds.
type AzureConfig struct {
	Key     Secret        `env:"KALAMI_AZURE_SPEECH_KEY" doc:"Turns Azure's assessment of pronunciation on. It gets recordings that a learner sends to be assessed against a text, if the learner agreed and is no child; a school has to allow it: {\"pronunciation\": {\"vendors\": true}} in the column settings of its row in the table tenants."`
	Region  string        `env:"KALAMI_AZURE_SPEECH_REGION" doc:"Region of the Speech resource, such as westeurope. Needed with the key unless KALAMI_AZURE_SPEECH_BASE_URL is set."`
	BaseURL BaseURL       `env:"KALAMI_AZURE_SPEECH_BASE_URL" doc:"Where Azure Speech is, where that does not follow from the region."`
	Timeout time.Duration `env:"KALAMI_AZURE_SPEECH_TIMEOUT" envDefault:"8s" min:"10ms" max:"10s" doc:"How long an assessment may take before what recognition can tell is shown alone."`
}

// SpeechAceConfig is SpeechAce, which judges pronunciation by its sounds.
type SpeechAceConfig struct {
	Key     Secret        `env:"KALAMI_SPEECHACE_KEY" doc:"Turns SpeechAce's assessment of pronunciation on, under the same conditions as Azure's, which is asked first. It knows English, French and Spanish."`
	BaseURL BaseURL       `env:"KALAMI_SPEECHACE_BASE_URL" envDefault:"https://api.speechace.co" doc:"Where SpeechAce is: the address of the key's region."`
	Timeout time.Duration `env:"KALAMI_SPEECHACE_TIMEOUT" envDefault:"8s" min:"10ms" max:"10s" doc:"How long an assessment may take before what recognition can tell is shown alone."`
}
