package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The tests in this file keep the house in order: which package may import which,
// what stands at the top level, how long a file may be. A rule that turns out wrong
// is changed here, with the reason, and in .golangci.yml, which says the same to
// editors.

const module = "kalami/"

// goPackage is what these tests read of "go list -json".
type goPackage struct {
	ImportPath, Dir, Name, Doc string
	GoFiles, IgnoredGoFiles    []string
	Imports                    []string
	TestImports, XTestImports  []string
}

// arrows is the picture of which way things point: a package and those of ours
// that it may import. "dir/..." is dir and all below it. The first row that matches
// a package counts; a package without a row is an error, so that a new one is
// given its place on purpose.
func arrows() []arrow {
	const (
		learn     = "session/learn/..."
		contracts = "providers"
	)
	return []arrow{
		// The composition root and free-standing programs see everything.
		{from: "cmd/kalami", to: []string{"..."}},
		{from: "deploy/...", to: []string{"..."}},
		// The edge. What it needs of store it declares as interfaces of its own.
		{from: "gateway/wire", to: []string{"session", learn}},
		{from: "gateway/token", to: []string{learn}},
		{from: "gateway/mailer", to: nil},
		// What Prometheus reads: the sessions tell it what they count, the choices of vendors
		// what becomes of calls.
		{from: "gateway/metrics", to: []string{"session", "providers/failover"}},
		// What describes the API to machines.
		{from: "gateway/schemas", to: nil},
		{from: "gateway/asyncapi", to: []string{"gateway/schemas", "gateway/wire", "session", learn}},
		// A client of the REST API for others, generated.
		{from: "gateway/apiclient", to: nil},
		// What a session talks to while sockets come and go; the sockets are the gateway's.
		{from: "gateway/line", to: []string{"gateway/wire", "session", learn}},
		// A learner's end of the line: it knows the protocol and not the server.
		{from: "gateway/learner", to: []string{"gateway/wire", "session", "session/verify", learn}},
		// All of it in virtual time: nothing but tests.
		{from: "gateway/simulation", tests: []string{"gateway", "gateway/line", "gateway/wire", "session", "session/verify"}},
		// It looks into uploads before it passes them on.
		{from: "gateway", to: []string{"gateway/...", "session", learn, contracts, "providers/recording"}},
		// The rules of learning: no I/O, and of others' code go-fsrs alone, and Unicode's tables
		// for forms of letters, which the standard library keeps to itself.
		{from: learn, to: []string{learn}, others: []string{"github.com/open-spaced-repetition/go-fsrs", "golang.org/x/text/unicode/norm"}, pure: true},
		// The rules of turn-taking: nothing but times and texts.
		{from: "session/turntaking", to: []string{learn}, pure: true},
		// Where the tutor's text is cut to be spoken: nothing but texts.
		{from: "session/cutting", to: []string{learn}, pure: true},
		// What answers begun early may cost: nothing but times and numbers.
		{from: "session/drafts", pure: true},
		// What is said when no vendor can: bytes and texts.
		{from: "session/fillers", to: []string{learn}, pure: true},
		// What is checked afterwards: it knows what is stored, and nobody who ran.
		{from: "session/verify", to: []string{learn}, pure: true},
		// How well a model corrects: utterances, and what is made of them by whoever asks.
		{from: "session/evaluation", to: []string{learn}, pure: true},
		{from: "session", to: []string{learn, contracts, "providers/vad", "session/turntaking", "session/cutting", "session/drafts", "session/fillers"},
			// A lesson is followed through a choice of vendors that fail, and what it has said
			// into a database that does.
			tests: []string{"providers/failover", "store", "store/storetest"}},
		// The contracts know nobody; vendors and what stands beside them know the contracts.
		{from: contracts, to: nil},
		{from: "providers/vad", pure: true},
		// What cuts audio where nobody speaks, or keeps it until it is understood.
		{from: "providers/openai", to: []string{contracts, "providers/vad"}, tests: []string{"providers/..."}},
		{from: "providers/failover", to: []string{contracts, "providers/vad"}, tests: []string{"providers/..."}},
		// It takes recordings of one rate alone.
		{from: "providers/azure", to: []string{contracts, "providers/recording"}, tests: []string{"providers/..."}},
		{from: "providers/providertest", to: []string{contracts, "providers/simulate"}},
		{from: "providers/simulate", to: []string{contracts, "providers/recording", "providers/simulate/mp3"}, tests: []string{"providers/..."}},
		{from: "providers/...", to: []string{contracts}, tests: []string{"providers/..."}},
		// The store knows what is stored, and nobody who asks for it.
		{from: "store/storetest", to: []string{"store/...", learn}},
		{from: "store/...", to: []string{"store/...", learn}},
		// Pages are bytes; who drives them in a browser sees no more of the house.
		{from: "web", to: nil},
		{from: "web/webtest", to: nil},
	}
}

type arrow struct {
	from string
	to   []string
	// pure: of other modules only those in others.
	pure   bool
	others []string
	// tests is what its tests may import besides: a hand-over between vendors is
	// tested with two real clients.
	tests []string
}

// Tests may import more: besides what their package may, the conformance suites,
// the simulators and the browser, which exist for them, and the rules of learning.
func testKits() []string {
	return []string{"providers/providertest", "providers/simulate", "store/storetest", "web/webtest", "providers", "session/learn/..."}
}

func TestArrows(t *testing.T) {
	for _, p := range listPackages(t) {
		from := ours(p.ImportPath)
		i := slices.IndexFunc(arrows(), func(a arrow) bool { return matches(a.from, from) })
		if i < 0 {
			t.Errorf("%s has no place in the picture; give it a row in arrows", from)
			continue
		}
		a := arrows()[i]
		for _, imported := range p.Imports {
			if problem := a.check(imported, a.to); problem != "" {
				t.Errorf("%s imports %s: %s", from, imported, problem)
			}
		}
		for _, imported := range slices.Concat(p.TestImports, p.XTestImports) {
			to := slices.Concat(a.to, a.tests, testKits(), []string{from})
			if problem := (arrow{from: a.from}).check(imported, to); problem != "" {
				t.Errorf("a test of %s imports %s: %s", from, imported, problem)
			}
		}
	}
}

// check says what is wrong with an import, or "".
func (a arrow) check(imported string, to []string) string {
	if !strings.HasPrefix(imported, module) {
		if !a.pure || isStandard(imported) || slices.ContainsFunc(a.others, func(o string) bool { return strings.HasPrefix(imported, o) }) {
			return ""
		}
		return "only the standard library and " + strings.Join(a.others, ", ") + " may be imported there"
	}
	name := ours(imported)
	if matches("cmd/...", name) {
		return "nobody imports cmd"
	}
	if slices.ContainsFunc(to, func(pattern string) bool { return matches(pattern, name) }) {
		return ""
	}
	return "there is no such arrow"
}

// The picture must refuse what it is there to refuse.
func TestArrowsRefuse(t *testing.T) {
	for _, tt := range []struct{ from, imported string }{
		{"gateway", "kalami/store"},
		{"session", "kalami/store/live"},
		{"session", "kalami/gateway"},
		{"session", "kalami/providers/deepgram"},
		{"session/learn", "kalami/providers"},
		{"session/learn/srs", "gorm.io/gorm"},
		{"providers", "kalami/session/learn"},
		{"providers/openai", "kalami/providers/anthropic"},
		{"store", "kalami/session"},
		{"store/live", "kalami/providers"},
		{"gateway", "kalami/cmd/kalami"},
		{"cmd/kalami", "kalami/cmd/other"},
	} {
		i := slices.IndexFunc(arrows(), func(a arrow) bool { return matches(a.from, tt.from) })
		if a := arrows()[i]; a.check(tt.imported, a.to) == "" {
			t.Errorf("%s may import %s", tt.from, tt.imported)
		}
	}
}

func TestEveryPackageExplainsItself(t *testing.T) {
	for _, p := range listPackages(t) {
		if len(p.GoFiles) > 0 && p.Doc == "" {
			t.Errorf("%s has no package comment", ours(p.ImportPath))
		}
	}
}

// longestFile is in lines. A file above it does more than one thing.
const longestFile = 400

func TestSourceFiles(t *testing.T) {
	for _, p := range listPackages(t) {
		for _, name := range slices.Concat(p.GoFiles, p.IgnoredGoFiles) {
			src, err := os.ReadFile(filepath.Join(p.Dir, name))
			if err != nil {
				t.Fatal(err)
			}
			file := path.Join(ours(p.ImportPath), name)
			f, err := parser.ParseFile(token.NewFileSet(), file, src, parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasSuffix(name, "_test.go") || ast.IsGenerated(f) {
				continue
			}
			if n := bytes.Count(src, []byte("\n")); n > longestFile {
				t.Errorf("%s has %d lines, more than %d", file, n, longestFile)
			}
			for _, problem := range forbidden(f, file) {
				t.Errorf("%s %s", file, problem)
			}
		}
	}
}

// forbidden finds what no file outside tests may have: init functions, gorm's
// AutoMigrate (the schema changes by numbered migrations), and a look at the
// environment, which belongs to main alone. Test kits find their services in it,
// and the programs in deploy are mains of their own.
func forbidden(f *ast.File, file string) (problems []string) {
	pkg := path.Dir(file)
	mayLook := strings.HasSuffix(pkg, "test") || matches("deploy/...", pkg)
	for node := range ast.Preorder(f) {
		switch n := node.(type) {
		case *ast.FuncDecl:
			if n.Recv == nil && n.Name.Name == "init" {
				problems = append(problems, "has an init function")
			}
		case *ast.SelectorExpr:
			if n.Sel.Name == "AutoMigrate" {
				problems = append(problems, "calls AutoMigrate")
			}
			x, ok := n.X.(*ast.Ident)
			if !ok || x.Name != "os" || mayLook {
				continue
			}
			switch n.Sel.Name {
			case "Getenv", "LookupEnv", "ExpandEnv":
				problems = append(problems, "reads the environment with os."+n.Sel.Name)
			case "Environ":
				if file != "cmd/kalami/main.go" {
					problems = append(problems, "reads the environment with os.Environ")
				}
			}
		}
	}
	return problems
}

func TestForbiddenIsFound(t *testing.T) {
	const src = `package x
import "os"
func init() { db.AutoMigrate(1); _ = os.Getenv("X"); _ = os.Environ() }`
	f, err := parser.ParseFile(token.NewFileSet(), "x.go", src, 0)
	if err != nil {
		t.Fatal(err)
	}
	if got := forbidden(f, "store/x.go"); len(got) != 4 {
		t.Errorf("found %q, want four", got)
	}
}

func TestTopLevelIsFixed(t *testing.T) {
	allowed := strings.Fields(`cmd gateway session providers store web deploy
		go.mod go.sum Makefile README.md LICENSE CHANGELOG.md CONTRIBUTING.md
		.ci .env.example .golangci.yml .gitignore .git`)
	ignore, err := os.ReadFile("../../.gitignore")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(ignore)) {
		allowed = append(allowed, strings.Trim(strings.TrimSpace(line), "/"))
	}
	entries, err := os.ReadDir("../..")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !slices.ContainsFunc(allowed, func(pattern string) bool { ok, _ := path.Match(pattern, e.Name()); return ok }) {
			t.Errorf("%s does not belong at the top level", e.Name())
		}
	}
}

// listPackages asks the go command for every package of the module.
func listPackages(t *testing.T) []goPackage {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-e", "-json", "./...")
	cmd.Dir = "../.."
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, &stderr)
	}
	var list []goPackage
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p goPackage
		err := d.Decode(&p)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, p)
	}
	if len(list) < 5 {
		t.Fatalf("only %d packages: is this the module?", len(list))
	}
	return list
}

// ours is a package's path inside the module.
func ours(importPath string) string { return strings.TrimPrefix(importPath, module) }

// matches compares a package with a pattern of arrows.
func matches(pattern, name string) bool {
	dir, below := strings.CutSuffix(pattern, "...")
	if !below {
		return pattern == name
	}
	return strings.HasPrefix(name+"/", dir)
}

// isStandard tells the standard library: its paths have no dot in their first element.
func isStandard(importPath string) bool {
	first, _, _ := strings.Cut(importPath, "/")
	return !strings.Contains(first, ".")
}
