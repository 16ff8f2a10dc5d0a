"""The plan of experiment 1.5, and what it might have turned out to be."""

from latent_anchors.curriculum import read_dopesheet

SHEET = """STEP,PHASE,ACTION,lr,recon,separate,planar,norm,anchor,data-fraction
0,Primary & secondary,,,1,0,.2,,,
1200,,,,.8,.3,,,,
1800,,,,,,.4,.1,,
3000,All hues,anchor,,,0,,.25,0,0
3350,,,.01,,,,,,
6500,,,,.8,,0,,,
8600,,,,,,,,.3,
10000,Full color space,,,,,,,,.25
13000,,,,1,,,,.1,1
20000,,,.001,,,,,.75,
"""
CHANGES = {"3000,All hues,anchor": '2200,All hues,"anchor,save"', "10000,": "8000,"}

PLANNED = read_dopesheet(SHEET).timeline()


def changed(sheet: str) -> str:
    for old, new in CHANGES.items():
        sheet = sheet.replace(old, new)
    return sheet


CHANGED = read_dopesheet(changed(SHEET)).timeline()
