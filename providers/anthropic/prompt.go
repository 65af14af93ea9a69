package anthropic

import (
	"cmp"

	sdk "github.com/anthropics/anthropic-sdk-go"

	"kalami/providers"
)

// params lays a prompt out as Claude wants it.
func (t *Tutor) params(p providers.Prompt) sdk.MessageNewParams {
	lines := p.Messages()
	messages := make([]sdk.MessageParam, 0, len(lines))
	for i, l := range lines {
		blocks := []sdk.ContentBlockParamUnion{sdk.NewTextBlock(l.Text)}
		if reminder := p.ReminderBlock(); reminder != "" && i == len(lines)-1 {
			blocks = append(blocks, sdk.NewTextBlock(reminder))
		}
		if l.Role == providers.RoleTutor {
			messages = append(messages, sdk.NewAssistantMessage(blocks...))
		} else {
			messages = append(messages, sdk.NewUserMessage(blocks...))
		}
	}
	params := sdk.MessageNewParams{
		Model:     sdk.Model(t.opt.Model),
		MaxTokens: int64(cmp.Or(max(p.MaxTokens, 0), t.opt.MaxTokens)),
		Messages:  messages,
	}
	if p.System != "" {
		params.System = []sdk.TextBlockParam{{
			Text:         p.System,
			CacheControl: sdk.NewCacheControlEphemeralParam(),
		}}
	}
	return params
}
