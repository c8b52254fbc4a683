"""The GitHub Actions workflow that `voice-harness init` writes; it runs as is, once its source is filled in."""

from __future__ import annotations

UNKNOWN_SOURCE = "git+https://github.com/YOUR-ORG/voice-harness@COMMIT"
WORKFLOW_FILE = ".github/workflows/voice-harness.yml"

_WORKFLOW = """\
# Calls the voice agent on every pull request and on every push to the main branch. The exit code of `run` decides:
# 0 pass, 1 the agent fell short, 2 configuration, 3 infrastructure, 4 the machine was not fit to measure.
name: voice agent
on:
  pull_request:
  push:
    branches: [main, master]

permissions:
  contents: read

concurrency: # the calls of one branch do not run beside each other
  group: voice-agent-${{ github.ref }}
  cancel-in-progress: true

env:
  # ---- WHERE VOICE-HARNESS IS INSTALLED FROM -------------------------------------------------------------------
  # No package index has it: a Git URL, pinned to a commit, or the path of a copy in this repository (./voice-harness).
  VOICE_HARNESS_SOURCE: "@SOURCE@"
  # --------------------------------------------------------------------------------------------------------------

jobs:
  # A pull request from a fork gets no secrets, so nobody can be called: the job `call` is then shown as skipped, with a
  # notice that says why, and is not green in silence. Without the secret anywhere else this job fails.
  key:
    runs-on: ubuntu-latest
    outputs:
      there: ${{ steps.key.outputs.there }}
    steps:
      - name: Is the key there?
        id: key
        env:
          STAGING_VOICE_KEY: ${{ secrets.STAGING_VOICE_KEY }}
          GETS_NO_SECRETS: ${{ github.event.pull_request.head.repo.fork || github.actor == 'dependabot[bot]' }}
        run: |
          if [ -n "$STAGING_VOICE_KEY" ]; then
            echo "there=yes" >> "$GITHUB_OUTPUT"
          elif [ "$GETS_NO_SECRETS" = "true" ]; then
            why="The voice agent was NOT called: this pull request gets no secrets (a fork, or Dependabot)."
            echo "::notice title=voice agent not called::$why"
            echo "$why Push its branch to this repository to have it tested." >> "$GITHUB_STEP_SUMMARY"
          else
            echo "::error title=voice agent::add the secret STAGING_VOICE_KEY to this repository's secrets"
            exit 2
          fi

  call:
    needs: key
    if: needs.key.outputs.there == 'yes'
    runs-on: ubuntu-latest
    timeout-minutes: 30
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-python@v5
        with: {python-version: "3.12"}
      - name: Install voice-harness
        run: |
          case "$VOICE_HARNESS_SOURCE" in
            *YOUR-ORG*)
              echo "::error title=voice agent::set VOICE_HARNESS_SOURCE in @FILE@"
              exit 2 ;;
          esac
          pip install "$VOICE_HARNESS_SOURCE"
      - name: Check the scenarios
        run: voice-harness validate scenarios
      - name: Call the agent
        env:
          STAGING_VOICE_KEY: ${{ secrets.STAGING_VOICE_KEY }}
        run: >-
          voice-harness run scenarios --target staging --calls 3 --record all --retry-unfit 2
          --threshold 'calls.failed: rate<=10%' --threshold 'turn.ttfa: p(95)<5s'
          --out reports/ci --junit reports/ci-junit.xml
      - name: Keep the report
        if: always() # a run that failed is the one that is looked at
        uses: actions/upload-artifact@v4
        with:
          name: voice-agent-report
          path: |
            reports/ci
            reports/ci-junit.xml
          if-no-files-found: warn
"""


def workflow(source: str | None) -> str:
    """The workflow's text. `source` is what pip installs; None leaves a placeholder that says what to fill in."""
    return _WORKFLOW.replace("@SOURCE@", source or UNKNOWN_SOURCE).replace("@FILE@", WORKFLOW_FILE)
