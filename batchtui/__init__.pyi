from batchtui.api import Batch as Batch
from batchtui.api import BatchRun as BatchRun
from batchtui.api import JobResult as JobResult
from batchtui.api import NeedsPerson as NeedsPerson
from batchtui.errors import BadInput as BadInput
from batchtui.errors import BatchtuiError as BatchtuiError
from batchtui.errors import ConfigError as ConfigError
from batchtui.errors import LimitHit as LimitHit
from batchtui.errors import NotFound as NotFound
from batchtui.errors import StoreDamaged as StoreDamaged
from batchtui.errors import Unreachable as Unreachable

__version__: str
