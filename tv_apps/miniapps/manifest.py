"""manifest.json of a mini-app: the W3C MiniApp field names, plus our own under `linli`.

The published JSON Schema (docs/schemas/miniapp-manifest.json) is generated from these classes; the
descriptions are what an editor shows while a developer types.
"""

from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

FILE: Final = "manifest.json"
#: What `platform_version.min_code` is compared with; it rises when the page format learns something new.
PLATFORM_CODE: Final = 1
#: Permissions the platform knows. Only the street's name is of use to an app that runs no script.
SCOPES: Final = {
    "profile.area": "社区名",
    "profile.resident": "姓名",
    "notify.show": "在电视上弹提醒",
    "storage.kv": "存 1 MB",
    "device.read": "家里设备的读数",
    "camera.view": "摄像头",
    "pay.handoff": "付款",
}
DATA_SCOPES: Final = frozenset({"profile.area"})
CATEGORIES: Final = {"service": "办事", "health": "健康", "life": "生活", "learn": "学习"}

Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60, pattern=r"^[^\n\r\t]*$")]
AreaCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{12}$")]
PageName = Annotated[str, StringConstraints(pattern=r"^pages/[a-z][a-z0-9_-]{0,31}$")]
FileName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-][A-Za-z0-9._/-]{0,119}$")]


class Part(BaseModel):
    """Unknown names are refused: a misspelt field would silently do nothing."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Version(Part):
    name: Annotated[str, StringConstraints(pattern=r"^\d{1,4}\.\d{1,4}(\.\d{1,4})?$")] = Field(
        description="给人看的版本，例如 1.0.0 (the version people see)"
    )
    code: int = Field(ge=1, le=2_000_000_000, description="每次发布都要变大的整数 (an integer that rises)")


class PlatformVersion(Part):
    min_code: int = Field(ge=1, description="要求的最低平台版本 (lowest platform version that will do)")


class Icon(Part):
    src: FileName = Field(description="包里的 PNG，方的，边长 96 到 192 (a square PNG inside the package)")
    sizes: str | None = Field(default=None, description="例如 96x96")
    label: Line | None = None


class Permission(Part):
    name: str = Field(min_length=1, max_length=40, description="权限名，例如 profile.area")
    reason: Line = Field(description="一句话说清为什么要用，给居民看 (why, told to the resident)")


class LinliPart(Part):
    """What the W3C manifest has no word for."""

    runtime: Literal["data"] = Field(description="data：JSON + 不带逻辑的模板，由平台画 (drawn by the platform)")
    tier: Literal["F0"] = Field(default="F0", description="F0：任何机顶盒都能用 (any set-top box)")
    category: Literal["service", "health", "life", "learn"] = Field(description="商店里的分类 (shelf in the store)")
    publisher: Annotated[str, StringConstraints(min_length=1, max_length=12)] = Field(
        description="谁做的，居民看得懂的单位名 (who makes it, as residents know it)"
    )
    areas: list[AreaCode] = Field(
        default_factory=list, max_length=50, description="给哪些地方用，12 位区划码；空的就是不限 (empty: anywhere)"
    )
    net: list[str] = Field(default_factory=list, max_length=0, description="data 应用不联网，留空 (must stay empty)")


class Manifest(Part):
    """A mini-app as its developer describes it."""

    app_id: Annotated[str, StringConstraints(max_length=64, pattern=r"^[a-z][a-z0-9]*(\.[a-z][a-z0-9-]*)+$")] = Field(
        description="倒写的域名，例如 cn.example.library (reverse domain; never changes)"
    )
    name: Line = Field(description="电视上的名字，最多 6 个字 (at most 6 Chinese characters)")
    description: Line = Field(description="一两句话，最多 36 个字 (what it is good for)")
    icons: list[Icon] = Field(min_length=1, max_length=4)
    pages: list[PageName] = Field(min_length=1, max_length=20, description="第一个是首页 (the first one opens)")
    platform_version: PlatformVersion
    version: Version
    device_type: list[str] = Field(default=["tv"], min_length=1, max_length=8)
    req_permissions: list[Permission] = Field(default_factory=list, max_length=8)
    lang: str = Field(default="zh-CN", max_length=20)
    linli: LinliPart

    @property
    def home(self) -> str:
        """The page that opens first, without the `pages/` in front."""
        return self.pages[0].removeprefix("pages/")

    @property
    def scopes(self) -> tuple[str, ...]:
        return tuple(permission.name for permission in self.req_permissions)
