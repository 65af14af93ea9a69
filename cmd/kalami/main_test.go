package main

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"go.uber.org/goleak"

	"kalami/providers/elevenlabs"
)

func TestMain(m *testing.M) {
	http.DefaultTransport = elevenlabs.NewCarrier(http.DefaultTransport) // as main does
	goleak.VerifyTestMain(m)
}

// outcome is what a run of the program leaves behind.
type outcome struct {
	code           int
	stdout, stderr string
}

// runKalami runs the program in an empty folder with this environment alone.
func runKalami(t *testing.T, environ []string, args ...string) outcome {
	t.Helper()
	t.Chdir(t.TempDir())
	return runHere(t.Context(), environ, args...)
}

func runHere(ctx context.Context, environ []string, args ...string) outcome {
	var stdout, stderr bytes.Buffer
	code := run(ctx, process{args: args, environ: environ, stdin: strings.NewReader(""), stdout: &stdout, stderr: &stderr})
	return outcome{code, stdout.String(), stderr.String()}
}

func TestRunSaysWhatIsWrongOnOneLineAndExitsWithTwo(t *testing.T) {
	for name, tt := range map[string]struct {
		environ []string
		args    []string
		stderr  string
	}{
		"unknown command": {args: []string{"sing"}, stderr: `kalami has no command "sing"; there are: `},
		"unknown subcommand": {args: []string{"config", "sing"},
			stderr: `kalami config has no command "sing"; there are: check, doc, print`},
		"stray argument": {args: []string{"version", "now"}, stderr: `kalami version takes no argument, got "now"`},
		"unknown flag":   {args: []string{"config", "check", "--loud"}, stderr: "unknown flag: --loud"},
		"port flag":      {args: []string{"config", "check", "--port", "66000"}, stderr: `"--port" flag`},
		"variable": {args: []string{"config", "check"}, environ: []string{"PORT=eight"},
			stderr: `kalami: PORT: "eight" is not a whole number`},
		"named file is missing": {args: []string{"config", "check", "--env-file", "other.env"},
			stderr: "kalami: other.env: open other.env: no such file or directory"},
	} {
		t.Run(name, func(t *testing.T) {
			got := runKalami(t, tt.environ, tt.args...)
			if got.code != exitUsage || got.stdout != "" {
				t.Errorf("code %d and stdout %q, want %d and nothing", got.code, got.stdout, exitUsage)
			}
			if !strings.Contains(got.stderr, tt.stderr) || strings.Count(got.stderr, "\n") != 1 {
				t.Errorf("stderr is %q, want one line with %q", got.stderr, tt.stderr)
			}
		})
	}
}

func TestConfigCheckReportsEveryProblem(t *testing.T) {
	got := runKalami(t, []string{"PORT=0x", "HOST=a b", "KALAMI_GUEST=1"}, "config", "check")
	want := "kalami: KALAMI_GUEST: is not a variable of Kalami; did you mean KALAMI_GUESTS?\n" +
		"kalami: PORT: \"0x\" is not a whole number\n" +
		"kalami: HOST: \"a b\" is neither an IP address nor a host name (the port is in PORT)\n"
	if got.code != exitUsage || got.stderr != want {
		t.Errorf("code %d, stderr:\n%swant:\n%s", got.code, got.stderr, want)
	}
	if got := runKalami(t, nil, "config", "check"); got.code != exitOK || got.stdout != "ok\n" {
		t.Errorf("with nothing configured: %+v", got)
	}
}

func TestVersionNamesTheToolchain(t *testing.T) {
	got := runKalami(t, nil, "version")
	if got.code != exitOK || !strings.HasPrefix(got.stdout, "kalami ") || !strings.Contains(got.stdout, " go1.") {
		t.Errorf("version: %+v", got)
	}
}

func TestHelpGoesToStandardOutput(t *testing.T) {
	got := runKalami(t, nil, "--help")
	if got.code != exitOK || got.stderr != "" || !strings.Contains(got.stdout, "config") {
		t.Errorf("help: %+v", got)
	}
}

func TestExitCode(t *testing.T) {
	wrap := func(err error) error { return errors.Join(errors.New("while starting"), err) }
	for _, tt := range []struct {
		err  error
		want int
	}{
		{nil, exitOK},
		{errors.New("the database is gone"), exitFailed},
		{wrap(&configError{[]problem{{"PORT", "is odd"}}}), exitUsage},
		{wrap(&usageError{errors.New("no such flag")}), exitUsage},
	} {
		if got := exitCode(tt.err); got != tt.want {
			t.Errorf("exitCode(%v) = %d, want %d", tt.err, got, tt.want)
		}
	}
}

// A command that stands in for the root shares its flags, so that
// "kalami --port 9" and "kalami serve --port 9" are the same.
func TestFlagsOutrankTheEnvironment(t *testing.T) {
	var got *Loaded
	p := process{environ: []string{"PORT=1000", "HOST=10.0.0.1"}}
	c := &cobra.Command{Use: "listen", RunE: func(c *cobra.Command, _ []string) (err error) {
		got, err = configOf(c, p)
		return err
	}}
	addConfigFlags(c)
	root := &cobra.Command{Use: "kalami", RunE: c.RunE}
	root.Flags().AddFlagSet(c.Flags())
	root.AddCommand(c)
	t.Chdir(t.TempDir())
	root.SetArgs([]string{"--port", "2000"})
	if err := root.ExecuteContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got.Server.Port != 2000 || got.Origin("PORT") != "--port" {
		t.Errorf("port %d from %s, want 2000 from the flag", got.Server.Port, got.Origin("PORT"))
	}
	if got.Server.Host != "10.0.0.1" || got.Origin("HOST") != "environment" {
		t.Errorf("host %s from %s, want the environment's", got.Server.Host, got.Origin("HOST"))
	}
}
