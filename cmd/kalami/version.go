package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// newVersionCommand makes "kalami version".
func newVersionCommand(process) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Say what this binary was built from",
		Args:  noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			info, _ := debug.ReadBuildInfo()
			_, err := fmt.Fprintf(c.OutOrStdout(), "kalami %s %s %s/%s\n",
				describeBuild(info), runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
}

// version is the version of this binary: a tag, a pseudo-version of the
// commit, or "devel" for a build outside a checkout.
func version() string {
	info, _ := debug.ReadBuildInfo()
	if info == nil || info.Main.Version == "" || info.Main.Version == "(devel)" {
		return "devel"
	}
	return info.Main.Version
}

// describeBuild names the version, the commit and whether the tree had changes.
func describeBuild(info *debug.BuildInfo) string {
	s := version()
	if info == nil {
		return s
	}
	var revision, when, modified string
	for _, kv := range info.Settings {
		switch kv.Key {
		case "vcs.revision":
			revision = kv.Value
		case "vcs.time":
			when = kv.Value
		case "vcs.modified":
			modified = kv.Value
		}
	}
	if revision == "" {
		return s
	}
	s += fmt.Sprintf(" (commit %.12s of %s", revision, when)
	if modified == "true" {
		s += ", with local changes"
	}
	return s + ")"
}
