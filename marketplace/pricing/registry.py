"""Every kind of price there is. A new kind is a file beside this one, a line here, and a test of the same name."""

from marketplace.pricing.ad_valorem import AdValorem
from marketplace.pricing.flat import Flat
from marketplace.pricing.graduated import Graduated
from marketplace.pricing.included_overage import IncludedOverage
from marketplace.pricing.maximum import Maximum
from marketplace.pricing.minimum import Minimum
from marketplace.pricing.model import Model
from marketplace.pricing.one_off import OneOff
from marketplace.pricing.package import Package
from marketplace.pricing.per_active import PerActive
from marketplace.pricing.per_unit import PerUnit
from marketplace.pricing.percentage import Percentage
from marketplace.pricing.transfer import Transfer
from marketplace.pricing.volume import Volume

MODELS: dict[str, type[Model]] = {
    "flat": Flat,
    "one_off": OneOff,
    "per_unit": PerUnit,
    "package": Package,
    "graduated": Graduated,
    "volume": Volume,
    "included_overage": IncludedOverage,
    "percentage": Percentage,
    "ad_valorem": AdValorem,
    "per_active": PerActive,
    "transfer": Transfer,
    "minimum": Minimum,
    "maximum": Maximum,
}
