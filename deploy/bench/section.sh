# What the scripts beside this one share: each measures something and writes it into its
# own section of RESULTS.md. It is sourced, from the root of the checkout. work is then a
# folder for the script alone, which is gone when it ends.

results=deploy/bench/RESULTS.md
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# busy: how busy the machine is now. Whatever else runs on it is in the figures, too.
busy() {
	echo "load average before it $(cut -d ' ' -f 1 /proc/loadavg)"
}

# circumstances NOTE COMMAND PATHSPEC...: the lines that say of which commit, when, on what
# machine (and NOTE on it, which may be empty) and by which command something was measured.
# "With changes" is a commit whose files of that PATHSPEC were changed.
circumstances() {
	note=$1 command=$2
	shift 2
	commit=$(git rev-parse --short HEAD)
	git diff --quiet HEAD -- "$@" || commit="$commit, with changes"
	cpu=$(sed -n 's/^model name[[:space:]]*: //p' /proc/cpuinfo | head -n 1)
	echo "- Commit: $commit"
	echo "- Date: $(date -u +%Y-%m-%d)"
	echo "- Machine: $(grep -c '^processor' /proc/cpuinfo) × $cpu${note:+; $note}"
	echo "- Command: \`$command\`"
}

# record NAME: puts $work/section into the section of NAME.sh. The others stay as they are.
record() {
	begin="<!-- $1.sh: begin -->"
	end="<!-- $1.sh: end -->"
	if [ ! -f "$results" ]; then
		printf '# Recorded results\n\nEach section is written by the program that it names.\n' >"$results"
	fi
	if ! grep -qxF "$begin" "$results"; then
		printf '\n%s\n%s\n' "$begin" "$end" >>"$results"
	fi
	awk -v section="$work/section" -v begin="$begin" -v end="$end" '
		$0 == begin { print; skip = 1; while ((getline line < section) > 0) print line }
		$0 == end { skip = 0 }
		!skip { print }' "$results" >"$work/results"
	cat "$work/results" >"$results"
}
