"""The CI files that `voice-harness init` writes; they run as they are, once their source is filled in.

The actions and the template are files of this repository (`action.yml`, `ci/`), copied into the user's; the workflow
that uses them is below.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

Ci = Literal["github", "gitlab", "none"]
UNKNOWN_SOURCE = "git+https://github.com/YOUR-ORG/voice-harness@COMMIT"
WORKFLOW_FILE = ".github/workflows/voice-harness.yml"
ACTION_FILE = ".github/actions/voice-harness/action.yml"
COMMENT_FILE = ".github/actions/voice-harness-comment/action.yml"
PIPELINE_FILE = ".gitlab-ci.yml"
TEMPLATE_FILE = ".gitlab/voice-harness.yml"

_REPOSITORY = Path(__file__).resolve().parents[2]
_IN_A_WHEEL = Path(__file__).resolve().parents[1] / "_ci"

_WORKFLOW = """\
# Calls the voice agent on every pull request and on every push to the main branch. The exit code of `run` decides:
# 0 pass, 1 the agent fell short, 2 configuration, 3 infrastructure, 4 the machine was not fit to measure.
name: voice agent
on:
  pull_request:
  push:
    branches: [main, master]

permissions: {} # each job takes what it needs

concurrency: # the calls of one branch do not run beside each other
  group: voice-agent-${{ github.ref }}
  cancel-in-progress: true

env:
  # ---- WHERE VOICE-HARNESS IS INSTALLED FROM -------------------------------------------------------------------
  # No package index has it: a Git URL, pinned to a commit, or the path of a copy in this repository (./voice-harness).
  VOICE_HARNESS_SOURCE: "@SOURCE@"
  # --------------------------------------------------------------------------------------------------------------

jobs:
  # A pull request from a fork (or of Dependabot) gets no secrets, so the agent cannot be called. The scenarios are then
  # checked, the embedded stack's own agent is called instead, and the report says so. Without the secret anywhere else
  # this job fails.
  key:
    name: which agent
    runs-on: ubuntu-latest
    permissions: {}
    outputs:
      target: ${{ steps.key.outputs.target }}
    steps:
      - name: Is the key there?
        id: key
        env:
          STAGING_VOICE_KEY: ${{ secrets.STAGING_VOICE_KEY }}
          GETS_NO_SECRETS: >-
            ${{ github.event.pull_request.head.repo.fork
            || github.event.pull_request.user.login == 'dependabot[bot]' }}
        run: |
          if [ -n "$STAGING_VOICE_KEY" ]; then
            echo "target=staging" >> "$GITHUB_OUTPUT"
          elif [ "$GETS_NO_SECRETS" = "true" ]; then
            echo "target=embedded" >> "$GITHUB_OUTPUT"
            echo "::notice title=voice agent not called::this pull request gets no secrets (a fork, or Dependabot)"
          else
            echo "::error title=voice agent::add the secret STAGING_VOICE_KEY to this repository's secrets"
            exit 2
          fi

  call:
    name: call the agent
    needs: key
    runs-on: ubuntu-latest
    timeout-minutes: 30
    permissions:
      contents: read
    steps:
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
        with:
          persist-credentials: false
      - name: Call the agent
        if: needs.key.outputs.target == 'staging'
        uses: ./.github/actions/voice-harness
        with:
          source: ${{ env.VOICE_HARNESS_SOURCE }}
          target: staging
          key: ${{ secrets.STAGING_VOICE_KEY }}
          key-variable: STAGING_VOICE_KEY # as in voice-harness.toml
          scenarios: scenarios
          args: |
            --calls=3
            --record=all
            --retry-unfit=2
            --threshold=calls.failed: rate<=10%
            --threshold=turn.ttfa: p(95)<5s
          on-unfit: fail # or pass: a run that could not be measured is then only a warning
          # redact: "true" # the artifact, the summary and the comment hold no texts, prompts and sound
      - name: Call the embedded stack's agent
        if: needs.key.outputs.target == 'embedded'
        uses: ./.github/actions/voice-harness
        with:
          source: ${{ env.VOICE_HARNESS_SOURCE }}
          target: embedded
          scenarios: smoke # a shipped scenario, which fits the embedded agent
          args: --retry-unfit=2
          check: scenarios
          note: >-
            **The voice agent was not called**: this pull request gets no secrets (a fork, or Dependabot). The scenarios
            were checked, and the embedded stack's demo agent was called instead. To test the agent, push the branch to
            this repository.

  comment:
    name: comment on the pull request
    needs: call
    # A pull request from a fork has no token that may write.
    if: >-
      !cancelled() && needs.call.result != 'skipped' && github.event_name == 'pull_request'
      && !github.event.pull_request.head.repo.fork && github.event.pull_request.user.login != 'dependabot[bot]'
    runs-on: ubuntu-latest
    permissions:
      contents: read
      pull-requests: write
    steps:
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
        with:
          persist-credentials: false
      - uses: ./.github/actions/voice-harness-comment
"""

_PIPELINE = """\
# Calls the voice agent in merge requests and on the default branch. Add the include to your own file if you have one.
include:
  - local: @TEMPLATE@
    inputs:
      # No package index has voice-harness: a Git URL, pinned to a commit, or the path of a copy in this repository.
      source: "@SOURCE@"
      target: staging
      key-variable: STAGING_VOICE_KEY # a masked CI/CD variable
      args: | # one a line and unquoted
        --calls=3
        --record=all
        --retry-unfit=2
        --threshold=calls.failed: rate<=10%
        --threshold=turn.ttfa: p(95)<5s
      on-unfit: fail # or warn: a run that could not be measured is then only a warning
      # redact: true # the artifact holds no texts, prompts and sound
"""


def workflow(source: str | None) -> str:
    """The workflow's text. `source` is what pip installs; None leaves a placeholder that says what to fill in."""
    return _WORKFLOW.replace("@SOURCE@", source or UNKNOWN_SOURCE)


def pipeline(source: str | None) -> str:
    """The text of `.gitlab-ci.yml`; `source` as in `workflow`."""
    return _PIPELINE.replace("@SOURCE@", source or UNKNOWN_SOURCE).replace("@TEMPLATE@", TEMPLATE_FILE)


def ci_files(ci: Ci, source: str | None) -> Mapping[str, str]:
    """The files for a CI server, by their path in the user's repository."""
    match ci:
        case "github":
            return {
                WORKFLOW_FILE: workflow(source),
                ACTION_FILE: _shipped("action.yml"),
                COMMENT_FILE: _shipped("ci/comment/action.yml"),
            }
        case "gitlab":
            return {PIPELINE_FILE: pipeline(source), TEMPLATE_FILE: _shipped("ci/gitlab.yml")}
        case "none":
            return {}


def _shipped(name: str) -> str:
    """A file of this repository, which a wheel holds a copy of."""
    root = _IN_A_WHEEL if _IN_A_WHEEL.is_dir() else _REPOSITORY
    return (root / name).read_text(encoding="utf-8")
