package speech

import (
	"cmp"
	"context"

	"kalami/providers"
)

// Synthesize asks for a clip, of the named vendor first, of the usual one when provider
// is empty, or takes it from what is remembered. It returns when the first bytes are
// there; whoever got the clip closes it. Errors: Invalid for a script that cannot be
// spoken, else the first vendor's error when none helped; ctx's cause when it ended.
func (s *Service) Synthesize(ctx context.Context, provider string, script providers.Script) (providers.Clip, error) {
	return s.speak(ctx, provider, script, s.remembered)
}

// speak asks the vendors in order, each by ask.
func (s *Service) speak(ctx context.Context, provider string, script providers.Script,
	ask func(context.Context, Synthesizer, providers.Script) (providers.Clip, error)) (providers.Clip, error) {
	const op = "speak"
	order, err := inOrder(s.opt.Synthesizers, func(v Synthesizer) string { return v.Name }, provider, s.opt.NoSynthesizeFallback)
	if err != nil {
		return providers.Clip{}, refusal(op, providers.Unavailable, err)
	}
	var failed error
	for i, v := range order {
		if i > 0 || provider != "" && v.Name != provider {
			script.VoiceID = "" // another vendor's name for a voice means nothing here
		}
		clip, err := ask(ctx, v, script)
		if err == nil || !s.handsOver(ctx, err) {
			return clip, err
		}
		s.opt.Log.Warn("a vendor could not speak a clip", "vendor", v.Name, "err", err)
		failed = cmp.Or(failed, err)
	}
	return providers.Clip{}, failed
}
