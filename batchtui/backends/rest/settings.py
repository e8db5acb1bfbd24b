"""What a `[backends.NAME]` table of kind `rest` says: an API that takes work, is asked how it fares, and gives a result.

Three small languages, used alike everywhere:

- a **template** is a text with `{{ name }}` in it, or JSON of such texts; what is exactly one `{{ name }}` keeps its
  JSON type. In a `path` every value is quoted for an address.
- a **place** is where something stands in a reply: `task_id`, `taskDetails.taskId`, `tasks[0].id`, or an expression
  as templates take it (`progress * 100`). `reply` is the whole reply: `reply[0]`, `reply["task-id"]`. A list of places
  takes the first at which there is something.
- a **reference** `env:NAME`, or `{{ env.NAME }}` inside a longer text, takes a secret from the environment.

Names that templates may use: `token` (marks the submission: put it where `find` can see it), `batch` (its name),
`created` and `created_unix` (when the oldest submission that is asked for was meant to be sent, less `look_back`) and
`env`; in `submit` also `input`, `name`, `job_id` (the job's own id) and `id` (under which the API is to
answer it); in `submit.body` of an API that takes many jobs `jobs`; after it was submitted `id` (the API's) and every
name under `keep`; in lists `page`, `offset` and `cursor`; in `find.look` also `item`.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from batchtui.backends.base import BackendSettings
from batchtui.model import Json

Place: TypeAlias = str | list[str]
State = Literal["submitted", "processing", "cancelling", "completed", "failed", "expired", "cancelled"]
Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]

_WORDS: dict[State, str] = {
    "submitted": "pending queued submitted created accepted waiting scheduled new",
    "processing": "running processing in_progress started working active",
    "cancelling": "cancelling canceling",
    "completed": "completed complete succeeded success successful done finished",
    "failed": "failed failure error errored",
    "expired": "expired timeout timed_out",
    "cancelled": "cancelled canceled aborted",
}
STATES: dict[str, State] = {word: state for state, words in _WORDS.items() for word in words.split()}
"""What the usual words for a status mean; `states` adds to them."""


class _Part(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    pass


class Call(_Part):
    """One call. `path` is under `base_url`; `query`, `headers` and `body` are templates; an empty `query` value is left out."""

    path: str
    method: Method = "GET"
    query: dict[str, Json] = {}
    headers: dict[str, str] = {}
    body: Json = None


class SignIn(Call, kw_only=True):
    """Asked for a token before the first call, when it runs out and, once, when a call is refused with a 401.

    The token goes with every other call in `header`, as `value` says it. `expires_in`: place of its seconds.
    """

    method: Method = "POST"
    token: Place = msgspec.field(default_factory=lambda: ["access_token", "token"])
    expires_in: Place | None = "expires_in"
    header: str = "Authorization"
    value: str = "Bearer {{ token }}"


class Submit(Call, kw_only=True):
    """Creates the work, once. `id`: place of the id that later calls need; `keep`: further ones, by name.

    `set` are fields, templates too, that are put into a `body` which comes from the job as it is: `body = "{{ input }}"`.
    `each` is the template of one job where the API takes many at a time, which `body` then holds as `{{ jobs }}`.
    `refused`: place of what went wrong in a reply of 2xx that made nothing.
    """

    method: Method = "POST"
    id: Place = "id"
    keep: dict[str, Place] = {}
    set: dict[str, Json] = {}
    each: Json = None
    refused: Place | None = None


class Listing(Call, kw_only=True):
    """A call whose reply holds many. `items`: place of the list; `id`: of the id in one of them.

    What follows comes by `cursor` (place of the next page's mark), else by `{{ page }}` or `{{ offset }}` in the query
    until nothing more comes, `more` (a place) is false, or as many as `total` (a place) says were seen. `whole`: the
    one reply holds all there is.
    """

    items: Place
    id: Place = "id"
    cursor: Place | None = None
    more: Place | None = None
    total: Place | None = None
    first_page: int = 1
    whole: bool = False


class Poll(_Part, kw_only=True):
    """How it fares: by a call for one (`path` and the rest), by `list` for many, or both.

    `progress` (0 to 100) and `stage` are shown, `completed`, `failed` and `total` count jobs where one submission holds
    many; all are places.
    """

    path: str | None = None
    method: Method = "GET"
    query: dict[str, Json] = {}
    headers: dict[str, str] = {}
    body: Json = None
    status: Place = "status"
    progress: Place | None = None
    stage: Place | None = None
    error: Place | None = msgspec.field(default_factory=lambda: ["error", "message"])
    completed: Place | None = None
    failed: Place | None = None
    total: Place | None = None
    keep: dict[str, Place] = {}
    list: Listing | None = None


class Find(Listing, kw_only=True):
    """Looks a submission up whose reply was lost: by the list in which `token`, a place, shows its token.

    `look` is a call for one item where the list does not show it; `token` is then a place in its reply, and an item that
    cannot be looked at before it has ended is waited for. Only a list that is read to its end proves that nothing was
    made. Without a `find`, a lost submission needs a person.
    """

    token: Place
    keep: dict[str, Place] = {}
    look: Call | None = None


class Fetch(Call, kw_only=True):
    """The result of what was completed. `result`: place of what is kept (left out: the whole reply); `text`: of an answer
    in words; `cost_usd`: of what it cost.

    Where the API takes many jobs, `items` is the place of the list of their results, and in one of them `job` of the
    job's id and `error` of what went wrong with it; the list goes on as any does.
    """

    result: Place | None = None
    text: Place | None = None
    cost_usd: Place | None = None
    keep: dict[str, Place] = {}
    items: Place | None = None
    job: Place = "id"
    error: Place | None = "error"
    cursor: Place | None = None
    more: Place | None = None
    total: Place | None = None
    first_page: int = 1


class Cancel(Call, kw_only=True):
    """Asks it to stop. `ended`: answers which say that it has ended already."""

    method: Method = "POST"
    ended: list[int] = msgspec.field(default_factory=lambda: [400, 404, 409, 410])


class RestSettings(BackendSettings, kw_only=True):
    """Without `fetch` the result is in the reply to `poll`; without `cancel` what runs, runs to its end.

    `concurrency` is how many submits, and results fetched, go at a time. `states` says what the API's words for a
    status mean, for those that are not the usual ones.
    """

    submit: Submit
    poll: Poll
    fetch: Fetch | None = None
    cancel: Cancel | None = None
    find: Find | None = None
    sign_in: SignIn | None = None
    probe: Call | None = None
    states: dict[str, State] = {}
    look_back: float | str = "1h"


class RestWork(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """`[job]`: `input` is any JSON, which the templates of `submit` send; `name` what people call it (its id)."""

    input: Json = None
    name: str | None = None
