"""Word lists of the sample customers: names, streets, villages. Nobody in particular is meant."""

from __future__ import annotations


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


ZH_SURNAMES = tuple("王李张刘陈杨黄赵周吴徐孙马朱胡郭何林高罗")
ZH_GIVEN = _words(
    """
    伟 芳 娜 秀英 敏 静 丽 强 磊 军 洋 勇 艳 杰 娟 涛 明 超 秀兰 霞 平 刚 桂英 文博 子涵 雨桐
    浩然 思远 嘉怡 晓东 建国 志强
    海燕 玉梅 春华
    立新 国栋 雪梅 永康 佳宁
    """
)
EN_FIRST = _words(
    """
    Anna Ben Clara David Emma Felix Greta Henry Ida Jonas Kate Leo Maria Noah Olivia Paul Rosa Simon
    Tessa Vincent Alice Bruno Carla Dennis Ella Frank Hanna Ivan Julia Karl Laura Martin Nina Oscar
    Petra Robin Sarah Thomas Ulla Walter
    """
)
EN_LAST = _words(
    """
    Baker Carter Dawson Ellis Fischer Graham Hughes Irwin Jenkins Keller Lang Morris Newton Osborne
    Parker Quinn Reed Schmidt Turner Underwood Vogel Walker Young Zimmer Bauer Cole Drake Ernst Foster
    Gruber Hoffmann Jung Klein Lambert Mercer Nagel Otto Porter Roth Seidel
    """
)
STREETS = _words(
    """
    Hauptstraße Bahnhofstraße Kirchstraße Schulstraße Gartenstraße Bergstraße Ringstraße Lindenstraße
    Rosenweg Mühlenweg Wiesenstraße Feldstraße Waldstraße Amselweg Birkenweg Schillerstraße Goethestraße
    Mozartstraße Friedhofstraße Kreuzstraße Brunnenstraße Blumenstraße Eichenweg Tannenweg Finkenweg
    Talstraße Burgstraße Rathausplatz Schmiedgasse Bachstraße Rebstockweg Weinbergstraße Kapellenweg
    Sportplatzweg Uferweg Ziegelhofweg Römerstraße Lerchenweg Ahornweg Drosselweg
    """
)
# Village and its middle (lon, lat); a place belongs to the nearest.
VILLAGES = {
    "Schutterwald": (7.883, 48.457),
    "Höfen": (7.868, 48.449),
    "Offenburg": (7.938, 48.472),
    "Altenheim": (7.802, 48.467),
    "Ichenheim": (7.815, 48.431),
    "Dundenheim": (7.812, 48.414),
    "Meißenheim": (7.771, 48.410),
    "Kürzell": (7.802, 48.385),
    "Schuttern": (7.853, 48.391),
    "Niederschopfheim": (7.892, 48.412),
    "Hofweier": (7.909, 48.426),
    "Friesenheim": (7.882, 48.371),
    "Ottenheim": (7.757, 48.365),
    "Allmannsweier": (7.802, 48.350),
    "Nonnenweier": (7.762, 48.343),
}
ZH_SHOPS = ("便利店", "面包房", "药房", "理发店", "茶馆", "水果店", "洗衣店", "餐馆")
EN_SHOPS = ("Corner Shop", "Bakery", "Butcher", "Hairdresser", "Café", "Flower Shop", "Laundry", "Restaurant")
