from batchtui.api import Anthropic as Anthropic
from batchtui.api import Batch as Batch
from batchtui.api import BatchRun as BatchRun
from batchtui.api import BatchStatus as BatchStatus
from batchtui.api import Buttermilk as Buttermilk
from batchtui.api import Chat as Chat
from batchtui.api import Citation as Citation
from batchtui.api import Daly as Daly
from batchtui.api import Gat as Gat
from batchtui.api import Gemini as Gemini
from batchtui.api import JobResult as JobResult
from batchtui.api import Local as Local
from batchtui.api import Mistral as Mistral
from batchtui.api import NeedsPerson as NeedsPerson
from batchtui.api import OpenAI as OpenAI
from batchtui.api import Rest as Rest
from batchtui.api import Slurm as Slurm
from batchtui.api import Together as Together
from batchtui.errors import BadInput as BadInput
from batchtui.errors import BatchtuiError as BatchtuiError
from batchtui.errors import ConfigError as ConfigError
from batchtui.errors import LimitHit as LimitHit
from batchtui.errors import NotFound as NotFound
from batchtui.errors import StoreDamaged as StoreDamaged
from batchtui.errors import Unreachable as Unreachable

__version__: str
