#!/usr/bin/env python3
"""Makes plain OpenAPI, a page of static HTML and a C file that holds both from openapi.yaml, while building.

SPDX-License-Identifier: MIT

usage: render.py openapi.yaml style.css VERSION OUT.json OUT.html OUT.c
The head of openapi.yaml lists the shorthands that this program expands. A mistake in openapi.yaml ends the build and names its place:
an unknown problem type, a value that YAML reads as null because of an unquoted comma, a duplicate key, a reference to nothing.
"""
import json
import re
import sys
from html import escape

import yaml

METHODS = ("get", "put", "post", "patch", "delete")
REQUEST_ID = "5b1f0c7d9e3a2468"  # of the examples
WIDTH = 76  # columns of an example before it is broken into lines


def fail(place, sentence):
    sys.exit(f"openapi.yaml: {place}: {sentence}")


# --- from the source to plain OpenAPI


class StrictLoader(yaml.SafeLoader):
    """Refuses duplicate keys. Plain YAML would silently use the last one."""

    def compose_mapping_node(self, anchor):
        node = super().compose_mapping_node(anchor)
        keys = [key.value for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                fail(f"line {node.start_mark.line + 1}", f"{key!r} is a duplicate key")
        return node


def check_values(value, place=""):
    """Refuses null outside of examples: its cause is a comma that is not quoted."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if inner is None:
                fail(place, f"{key!r} has no value")
            if key not in ("example", "examples"):
                check_values(inner, f"{place}/{key}")
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            check_values(inner, f"{place}/{i}")


def operations(api):
    for path, item in api["paths"].items():
        for method in METHODS:
            if method in item:
                yield path, item, method, item[method]


def problem_example(slug, problem):
    value = {"type": f"/problems/{slug}", "title": problem["title"], "status": problem["status"], **problem["example"]}
    return {"summary": problem["title"], "description": problem["description"].strip(), "value": {**value, "request_id": REQUEST_ID}}


PROBLEM_HEADERS = {
    401: {"WWW-Authenticate": {"description": "`Bearer`", "required": True, "schema": {"type": "string"}}},
    405: {"Allow": {"description": "The methods that are allowed.", "schema": {"type": "string"}}},
    429: {
        "Retry-After": {"description": "Seconds.", "required": True, "schema": {"type": "integer"}},
        "RateLimit-Policy": {"description": "The limit: its name, and `q` requests in `w` seconds.", "schema": {"type": "string"}},
        "RateLimit": {"description": "The rest of the limit: `r` requests, and `t` seconds until the next one.", "schema": {"type": "string"}},
    },
    503: {"Retry-After": {"description": "Seconds.", "required": True, "schema": {"type": "integer"}}},
}


def problem_response(slugs, problems):
    """One response for all problems of a status: they differ in `type`, and only these types are allowed."""
    titles = [problems[slug]["title"] for slug in slugs]
    types = {"enum": [f"/problems/{slug}" for slug in slugs]}
    response = {
        "description": titles[0] + "." if len(titles) == 1 else "One of: " + "; ".join(titles) + ".",
        "content": {
            "application/problem+json": {
                "schema": {"allOf": [{"$ref": "#/components/schemas/Problem"}, {"properties": {"type": types}}]},
                "examples": {slug: {"$ref": f"#/components/examples/{slug}"} for slug in slugs},
            }
        },
    }
    headers = PROBLEM_HEADERS.get(problems[slugs[0]]["status"])
    return {**response, "headers": headers} if headers else response


def problems_of(operation, method, of_all):
    slugs = set(operation.pop("x-problems")) | set(of_all["every"])
    if method != "get":
        slugs |= set(of_all["writing"])
    # A route without a body refuses a body.
    slugs |= set(of_all["body"] if "requestBody" in operation else ["payload-too-large"])
    return slugs


def expand(api, version):
    """Puts responses in the place of x-problems; returns the problems, in the order of their table."""
    problems, of_all, used = api.pop("x-problems"), api.pop("x-problems-of-all"), set()
    api["info"]["version"] = version
    for path, _, method, operation in operations(api):
        place = f"{method.upper()} {path}"
        slugs = problems_of(operation, method, of_all)
        if slugs - set(problems):
            fail(place, f"no problem type is called {', '.join(slugs - set(problems))}")
        used |= slugs
        for status in sorted({problems[slug]["status"] for slug in slugs}):
            response = problem_response([s for s in problems if s in slugs and problems[s]["status"] == status], problems)
            own = operation["responses"].get(str(status))
            operation["responses"][str(status)] = own or response
            if own:
                own["content"].update(response["content"])
        operation["responses"] = dict(sorted(operation["responses"].items()))
    if set(problems) - used != set(of_all["no-operation"]):
        fail("x-problems-of-all/no-operation", f"these are answered by none: {', '.join(set(problems) - used)}")
    components = api["components"]
    components["examples"] = {slug: problem_example(slug, problem) for slug, problem in problems.items()}
    components["schemas"]["Problem"]["properties"]["type"]["enum"] = [f"/problems/{slug}" for slug in problems]
    components["responses"] = {
        "NotFound": problem_response(["not-found"], problems),
        "MethodNotAllowed": problem_response(["method-not-allowed"], problems),
    }
    return problems


def resolve(api, value):
    if not isinstance(value, dict) or "$ref" not in value:
        return value
    found = api
    for part in value["$ref"].removeprefix("#/").split("/"):
        found = found.get(part)
        if found is None:
            fail(value["$ref"], "refers to nothing")
    return {**found, **{key: inner for key, inner in value.items() if key != "$ref"}}


# --- text


def inline(text):
    """`code`, **bold** and [links](target) of CommonMark."""
    text = escape(text, quote=False)
    text = re.sub(r"\[(.+?)\]\((\S+?)\)", lambda m: f'<a href="{escape(m[2])}">{m[1]}</a>', text)
    text = re.sub(r"`(.+?)`", r"<code>\1</code>", text)
    return re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", text)


def prose(text):
    """Paragraphs and lists."""
    html = []
    for block in re.split(r"\n\s*\n", (text or "").strip()):
        if block.startswith("- "):
            html.append("<ul>" + "".join(f"<li>{inline(item)}</li>" for item in re.split(r"(?:^|\n)- ", block)[1:]) + "</ul>")
        elif block:
            html.append(f"<p>{inline(block)}</p>")
    return "".join(html)


def dump(value, indent=0):
    """JSON, an array or object on one line where it fits."""
    flat = json.dumps(value, ensure_ascii=False, separators=(", ", ": "))
    if not isinstance(value, (dict, list)) or len(flat) + indent <= WIDTH:
        return flat
    inner, pad = indent + 2, " " * (indent + 2)
    if isinstance(value, dict):
        parts = [f"{pad}{json.dumps(key, ensure_ascii=False)}: {dump(item, inner)}" for key, item in value.items()]
        return "{\n" + ",\n".join(parts) + "\n" + " " * indent + "}"
    return "[\n" + ",\n".join(pad + dump(item, inner) for item in value) + "\n" + " " * indent + "]"


def breakable(path):
    return escape(path).replace("/", "/<wbr>")


# --- the page


class Page:
    def __init__(self, api, problems):
        self.api = api
        self.problems = problems

    # a schema in a few words

    def type_of(self, schema):
        if "$ref" in schema:
            name = schema["$ref"].rsplit("/", 1)[1]
            return f'<a href="#schema-{name}">{name}</a>'
        if "enum" in schema:
            return " | ".join(f"<code>{escape(str(value))}</code>" for value in schema["enum"])
        if "const" in schema:
            return f"<code>{escape(json.dumps(schema['const']))}</code>"
        if "oneOf" in schema:
            return " or ".join(self.type_of(one) for one in schema["oneOf"])
        if schema.get("type") == "array":
            return "array of " + self.type_of(schema["items"])
        kind = schema.get("type", "any")
        return " or ".join(kind) if isinstance(kind, list) else kind

    @staticmethod
    def range_of(schema):
        words = []
        for low, high, unit in (("minLength", "maxLength", " characters"), ("minItems", "maxItems", " items"),
                                ("minimum", "maximum", ""), ("minProperties", "maxProperties", " members")):
            if low in schema and schema.get(low) == schema.get(high):
                words.append(f"{schema[low]}{unit}")
            elif low in schema and high in schema:
                words.append(f"{schema[low]} to {schema[high]}{unit}")
            elif high in schema:
                words.append(f"at most {schema[high]}{unit}")
            elif low in schema:
                words.append(f"at least {schema[low]}{unit}")
        if schema.get("format") and schema.get("type") == "string":
            words.append(schema["format"])
        if "default" in schema:
            words.append(f"default <code>{escape(json.dumps(schema['default']))}</code>")
        return words

    def field(self, name, schema, required):
        full = resolve(self.api, schema)
        shown = full if "enum" in full else schema  # a few words are better than a link to them
        about = [self.type_of(shown), *self.range_of(full), *(["required"] if required else [])]
        return (f"<div><dt><code>{escape(name)}</code> <span>{', '.join(about)}</span></dt>"
                f"<dd>{prose(full.get('description'))}{self.inner_fields(schema)}</dd></div>")

    def inner_fields(self, schema):
        """The fields of an object without a name, which stands alone, in an array or as an alternative."""
        parts = [schema, schema.get("items", {}), *schema.get("oneOf", [])]
        return "".join(self.fields(part) for part in parts if "properties" in part)

    def fields(self, schema):
        required = schema.get("required", [])
        return "<dl>" + "".join(self.field(n, s, n in required) for n, s in schema.get("properties", {}).items()) + "</dl>"

    def parameters(self, item, operation):
        rows = []
        for parameter in [resolve(self.api, p) for p in item.get("parameters", []) + operation.get("parameters", [])]:
            schema = {**parameter["schema"], "description": parameter.get("description", "")}
            rows.append(self.field(parameter["name"], schema, parameter.get("required"))
                        .replace("</code> <span>", f"</code> <span>in {parameter['in']}, ", 1))
        return f"<h4>Parameters</h4><dl>{''.join(rows)}</dl>" if rows else ""

    # an operation

    def examples(self, media):
        if "example" in media:
            return {"": media["example"]}
        return {name: resolve(self.api, example).get("value") for name, example in media.get("examples", {}).items()}

    @staticmethod
    def example(value):
        return f"<pre tabindex=\"0\"><code>{escape(value if isinstance(value, str) else dump(value), quote=False)}</code></pre>"

    def curl(self, path, item, method, operation):
        for parameter in [resolve(self.api, p) for p in item.get("parameters", [])]:
            path = path.replace("{" + parameter["name"] + "}", str(parameter["example"]))
        words = ["curl" if method == "get" else f"curl -X {method.upper()}", f'"$SCRUTIN{path}"']
        if operation.get("security") and {} not in operation["security"]:
            words.append('-H "Authorization: Bearer $TOKEN"')
        for kind, media in list(operation.get("requestBody", {}).get("content", {}).items())[:1]:
            value = next(iter(self.examples(media).values()))
            if kind == "application/json":
                words += ["-H 'Content-Type: application/json'", f"-d '{json.dumps(value, ensure_ascii=False)}'"]
            else:
                words.append("-d '" + "&".join(f"{k}={v}" for k, v in value.items()) + "'")
        if operation["operationId"] == "streamResults":
            words[0] += " -N"
        line = " ".join(words)
        return line if len(line) <= WIDTH else " \\\n    ".join([" ".join(words[:2]), *words[2:]])

    def security(self, operation):
        names = [name for way in operation.get("security", []) for name in way]
        if not names:
            return ""
        words = " or ".join(f'<a href="#security-{name}">{name}</a>' for name in names)
        return f"<p class=\"security\">{'May carry' if {} in operation['security'] else 'Needs'} {words}.</p>"

    def body(self, operation):
        html = ""
        for kind, media in operation.get("requestBody", {}).get("content", {}).items():
            html += f"<h4>Body <code>{kind}</code></h4>{self.fields(resolve(self.api, media['schema']))}"
            examples = self.examples(media)
            if len(examples) > 1:
                inner = "".join(f"<h5>{name}</h5>{self.example(value)}" for name, value in examples.items())
                html += f"<details><summary>{len(examples)} examples</summary>{inner}</details>"
        return html

    def response(self, status, response):
        about = inline(response["description"])
        media_of = {kind: media for kind, media in response.get("content", {}).items() if kind != "application/problem+json"}
        if "application/problem+json" in response.get("content", {}):
            slugs = response["content"]["application/problem+json"]["examples"]
            links = ", ".join(f'<a href="#problem-{slug}">{slug}</a>' for slug in slugs)
            about = f"{about}</p><p>{links}" if media_of else links
        html = f"<div><dt><b class=\"s{status[0]}\">{status}</b></dt><dd><p>{about}</p>"
        for name, header in response.get("headers", {}).items():
            if status < "400":
                html += f"<p><code>{name}</code> {inline(header['description'])}</p>"
        for kind, media in media_of.items():
            shape = self.type_of(media["schema"]) if "$ref" in media["schema"] else ""
            inner = "".join((f"<h5>{name}</h5>" if name else "") + self.example(value)
                            for name, value in self.examples(media).items())
            inline_fields = "" if shape else self.inner_fields(media["schema"])
            html += f"<p><code>{kind}</code> {shape}</p>{inline_fields}<details><summary>Example</summary>{inner}</details>"
        return html + "</dd></div>"

    def operation(self, path, item, method, operation):
        responses = "".join(self.response(status, r) for status, r in operation["responses"].items())
        service = {"all": "each service"}.get(item["x-service"], item["x-service"])
        return f"""<section id="{operation['operationId']}" class="operation">
<h3><a href="#{operation['operationId']}">{escape(operation['summary'])}</a></h3>
<p class="path"><b class="{method}">{method.upper()}</b> <code>{breakable(path)}</code> <span>{service}</span></p>
{prose(operation.get('description'))}{self.security(operation)}
<pre tabindex="0"><code>{escape(self.curl(path, item, method, operation), quote=False)}</code></pre>
{self.parameters(item, operation)}{self.body(operation)}
<h4>Answers</h4><dl class="answers">{responses}</dl>
</section>
"""

    # the rest

    def problem(self, slug, problem):
        by = [f'<a href="#{o["operationId"]}">{escape(o["summary"])}</a>' for _, _, _, o in operations(self.api)
              if slug in o["responses"].get(str(problem["status"]), {}).get("content", {})
              .get("application/problem+json", {}).get("examples", {})]
        every = len(by) == len(list(operations(self.api)))
        where = "" if not by else "<p class=\"where\">Answered by " + ("every operation" if every else ", ".join(by)) + ".</p>"
        return f"""<section id="problem-{slug}" class="problem">
<h3><a href="#problem-{slug}">{escape(problem['title'])}</a></h3>
<p class="path"><b class="s{str(problem['status'])[0]}">{problem['status']}</b> <code>/problems/<wbr>{slug}</code></p>
{prose(problem['description'])}{where}
{self.example(problem_example(slug, problem)['value'])}
</section>
"""

    def schema(self, name, schema):
        html = f"<section id=\"schema-{name}\" class=\"schema\"><h3><a href=\"#schema-{name}\">{name}</a></h3>"
        about = [self.type_of(schema), *self.range_of(schema)]
        if len(schema.get("pattern", "")) in range(1, 80):  # a longer one is for machines; the description says it
            about.append(f"<code>{escape(schema['pattern'])}</code>")
        html += prose(schema.get("description"))
        if "oneOf" in schema:
            for one in schema["oneOf"]:
                words = [one.get("title", self.type_of(one)), *([self.type_of(one)] if "title" in one else []), *self.range_of(one)]
                html += f"<p>{', '.join(words)}</p>" + (self.fields(one) if "properties" in one else "")
        elif "properties" in schema:
            html += self.fields(schema)
        else:
            html += f"<p>{', '.join(about)}</p>"
        return html + "</section>\n"

    def contents(self):
        html = ""
        for tag in self.api["tags"]:
            html += f"<h2><a href=\"#tag-{tag['name']}\">{tag['name']}</a></h2><ul>"
            for _, _, method, operation in (o for o in operations(self.api) if tag["name"] in o[3]["tags"]):
                html += (f"<li><a href=\"#{operation['operationId']}\"><b class=\"{method}\">{method.upper()}</b> "
                         f"{escape(operation['summary'])}</a></li>")
            html += "</ul>"
        return html + '<h2><a href="#problems">Problems</a></h2><h2><a href="#schemas">Schemas</a></h2>'

    def render(self):
        api, main = self.api, ""
        for tag in api["tags"]:
            main += f"<h2 id=\"tag-{tag['name']}\">{tag['name']}</h2>{prose(tag['description'])}\n"
            main += "".join(self.operation(*o) for o in operations(api) if tag["name"] in o[3]["tags"])
        main += "<h2 id=\"tokens\">Tokens</h2><dl>" + "".join(
            f"<div id=\"security-{name}\"><dt><code>{name}</code> <span>"
            f"{'Authorization: Bearer' if scheme['type'] == 'http' else scheme['in'] + ' ' + scheme['name']}</span></dt>"
            f"<dd>{prose(scheme['description'])}</dd></div>" for name, scheme in api["components"]["securitySchemes"].items()) + "</dl>"
        main += "<h2 id=\"problems\">Problems</h2>" + "".join(self.problem(*p) for p in self.problems.items())
        main += "<h2 id=\"schemas\">Schemas</h2>" + "".join(self.schema(*s) for s in api["components"]["schemas"].items())
        info = api["info"]
        return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{info['title']} API</title>
<link rel="stylesheet" href="/docs/style.css">
</head>
<body>
<header><h1>{info['title']} API <small>{info['version']}</small></h1>
<p class="lead">{escape(info['summary'])} <a href="/openapi.json">OpenAPI description</a></p></header>
<nav id="contents" aria-label="Contents">{self.contents()}</nav>
<main>
{prose(info['description'])}
<p>The lines below want to know where: <code>SCRUTIN=http://127.0.0.1:8081</code> for vote-api by itself, <code>:8082</code> for
result-api, or the one address of the nginx before both.</p>
{main}<a class="up" href="#contents">Contents</a>
</main>
</body>
</html>
"""


# --- the C file


def as_bytes(text):
    data = text.encode()
    rows = (", ".join(map(str, data[i:i + 24])) for i in range(0, len(data), 24))
    return ",\n    ".join(rows), len(data)


def render_c(files, problems):
    out = "/* Made by docs/render.py from docs/openapi.yaml. */\n#include \"description_data.h\"\n"
    table = ""
    for i, (path, content_type, text) in enumerate(files):
        rows, size = as_bytes(text)
        out += f"\nstatic const unsigned char file_{i}[] = {{\n    {rows}}};\n"
        table += f'    {{"{path}", "{content_type}", file_{i}, {size}}},\n'
    out += f"\nconst struct description_file description_files[] = {{\n{table}}};\n"
    out += "const size_t description_n_files = sizeof(description_files) / sizeof(description_files[0]);\n"
    rows = "".join(f"    {{{json.dumps(slug)}, {p['status']}, {json.dumps(p['title'])}}},\n" for slug, p in problems.items())
    out += f"\nconst struct description_problem description_problems[] = {{\n{rows}}};\n"
    return out + "const size_t description_n_problems = sizeof(description_problems) / sizeof(description_problems[0]);\n"


def main(source, style, version, out_json, out_html, out_c):
    with open(source, encoding="utf-8") as file:
        api = yaml.load(file, StrictLoader)
    with open(style, encoding="utf-8") as file:
        css = file.read()
    check_values(api)
    api = json.loads(json.dumps(api))  # what YAML made one object by an anchor is several from here on
    problems = expand(api, version)
    description = json.dumps(api, ensure_ascii=False, separators=(",", ":"))
    for ref in set(re.findall(r'"\$ref":"([^"]+)"', description)):
        resolve(api, {"$ref": ref})
    page = Page(api, problems).render()
    for link in set(re.findall(r'href="#([^"]+)"', page)):
        if f'id="{link}"' not in page:
            fail(f"#{link}", "a link leads to nothing")
    files = [("/openapi.json", "application/json", description), ("/docs", "text/html; charset=utf-8", page),
             ("/docs/style.css", "text/css; charset=utf-8", css)]
    for path, text in ((out_json, description), (out_html, page), (out_c, render_c(files, problems))):
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)


if __name__ == "__main__":
    main(*sys.argv[1:])
