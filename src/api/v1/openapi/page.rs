//! The OpenAPI document as one HTML page. It has no script and no inline style, so it works offline and with the strict
//! Content-Security-Policy of all answers.

use std::fmt::Write as _;

use serde_json::Value;

/// Maximum depth of nested schemas. It ends schemas that refer to themselves.
const MAX_DEPTH: usize = 6;

/// Renders the document as HTML. All texts are escaped.
pub(super) fn render(document: &Value) -> String {
    let mut html = String::with_capacity(64 << 10);
    let info = &document["info"];
    let title = escaped(text(&info["title"]));
    html.push_str("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    html.push_str("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    put(&mut html, format_args!("<title>API – {title}</title>\n"));
    html.push_str("<link rel=\"icon\" href=\"../../favicon.svg\">\n<link rel=\"stylesheet\" href=\"../../api.css\">\n</head>\n<body>\n");
    put(&mut html, format_args!("<header>\n<h1>{title}: API</h1>\n"));
    put(&mut html, format_args!("<p>Version {}. {}</p>\n", escaped(text(&info["version"])), escaped(text(&info["description"]))));
    html.push_str("<p><a href=\"openapi.json\">OpenAPI 3.1 document</a> · <a href=\"../../\">History server</a></p>\n</header>\n");
    let operations = operations(document);
    html.push_str("<nav aria-label=\"Operations\">\n<ul>\n");
    for operation in &operations {
        put(
            &mut html,
            format_args!(
                "<li><a href=\"#{}\"><span class=\"method\">{}</span> <code>{}</code></a></li>\n",
                escaped(operation.id),
                operation.method.to_uppercase(),
                escaped(operation.path)
            ),
        );
    }
    html.push_str("</ul>\n</nav>\n<main>\n");
    for operation in &operations {
        section(&mut html, document, operation);
    }
    html.push_str("</main>\n</body>\n</html>\n");
    html
}

struct Operation<'document> {
    path: &'document str,
    method: &'document str,
    id: &'document str,
    value: &'document Value,
}

fn operations(document: &Value) -> Vec<Operation<'_>> {
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().into_iter().flatten() {
        for (method, value) in item.as_object().into_iter().flatten().filter(|(_, value)| value.is_object()) {
            operations.push(Operation { path, method, id: text(&value["operationId"]), value });
        }
    }
    operations.sort_by_key(|operation| (operation.path, operation.method));
    operations
}

fn section(html: &mut String, document: &Value, operation: &Operation<'_>) {
    let Operation { path, method, id, value } = operation;
    put(html, format_args!("<section id=\"{}\">\n<h2><span class=\"method\">{}</span> ", escaped(id), method.to_uppercase()));
    put(html, format_args!("<code>{}</code></h2>\n<p>{}.</p>\n", escaped(path), prose(text(&value["summary"]).trim_end_matches('.'))));
    for paragraph in text(&value["description"]).split("\n\n").filter(|paragraph| !paragraph.is_empty()) {
        put(html, format_args!("<p>{}</p>\n", prose(paragraph)));
    }
    if let Some(parameters) = value["parameters"].as_array().filter(|parameters| !parameters.is_empty()) {
        html.push_str("<h3>Parameters</h3>\n<div class=\"wide\"><table>\n<thead><tr><th>Name</th><th>In</th><th>Type</th><th>Meaning</th></tr></thead>\n<tbody>\n");
        for parameter in parameters {
            let required = if parameter["required"] == true { ", required" } else { "" };
            let schema = &parameter["schema"];
            put(
                html,
                format_args!(
                    "<tr><td><code>{}</code></td><td>{}{required}</td><td>{}</td><td>{}</td></tr>\n",
                    escaped(text(&parameter["name"])),
                    escaped(text(&parameter["in"])),
                    escaped(&kind(schema)),
                    prose(text(&parameter["description"]))
                ),
            );
        }
        html.push_str("</tbody>\n</table></div>\n");
    }
    if value["requestBody"].is_object() {
        html.push_str("<h3>Body</h3>\n");
        contents(html, document, &value["requestBody"]);
    }
    for (status, answer) in value["responses"].as_object().into_iter().flatten() {
        let name = if status == "default" { "Errors" } else { status };
        put(html, format_args!("<h3>{}</h3>\n<p>{}</p>\n", escaped(name), prose(text(&answer["description"]))));
        contents(html, document, answer);
    }
    html.push_str("</section>\n");
}

/// Media types with the members of their schemas.
fn contents(html: &mut String, document: &Value, holder: &Value) {
    for (media, content) in holder["content"].as_object().into_iter().flatten() {
        put(html, format_args!("<p><code>{}</code>: {}</p>\n", escaped(media), escaped(&kind(&content["schema"]))));
        let mut rows = Vec::new();
        members(document, &content["schema"], "", MAX_DEPTH, &mut rows);
        if rows.is_empty() {
            continue;
        }
        html.push_str("<div class=\"wide\"><table>\n<thead><tr><th>Member</th><th>Type</th><th>Meaning</th></tr></thead>\n<tbody>\n");
        for (name, kind, meaning) in rows {
            put(
                html,
                format_args!("<tr><td><code>{}</code></td><td>{}</td><td>{}</td></tr>\n", escaped(&name), escaped(&kind), prose(&meaning)),
            );
        }
        html.push_str("</tbody>\n</table></div>\n");
    }
}

/// Members of a schema, nested ones included, with their paths.
fn members(document: &Value, schema: &Value, path: &str, depth: usize, rows: &mut Vec<(String, String, String)>) {
    let Some(depth) = depth.checked_sub(1) else { return };
    let schema = resolved(document, schema);
    for each in schema["allOf"].as_array().into_iter().flatten().chain(schema["oneOf"].as_array().into_iter().flatten()) {
        members(document, each, path, depth, rows);
    }
    if schema["items"].is_object() {
        members(document, &schema["items"], &format!("{path}[]"), depth, rows);
    }
    for (name, member) in schema["properties"].as_object().into_iter().flatten() {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        let described = resolved(document, member);
        let meaning = member["description"].as_str().or(described["description"].as_str()).unwrap_or_default();
        rows.push((path.clone(), kind(member), meaning.to_owned()));
        members(document, member, &path, depth, rows);
    }
}

/// Resolves a reference to its schema.
fn resolved<'document>(document: &'document Value, schema: &'document Value) -> &'document Value {
    match schema["$ref"].as_str().and_then(|name| name.strip_prefix('#')) {
        Some(pointer) => document.pointer(pointer).unwrap_or(schema),
        None => schema,
    }
}

/// The type of a schema in a few words.
fn kind(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str() {
        return name.rsplit('/').next().unwrap_or_default().to_owned();
    }
    if let Some(one) = schema["oneOf"].as_array() {
        return one.iter().map(kind).collect::<Vec<_>>().join(" or ");
    }
    let mut words = match &schema["type"] {
        Value::String(name) => name.clone(),
        Value::Array(names) => names.iter().map(text).collect::<Vec<_>>().join(" or "),
        _ => "any".to_owned(),
    };
    if schema["items"].is_object() {
        put(&mut words, format_args!(" of {}", kind(&schema["items"])));
    }
    if let Some(values) = schema["enum"].as_array() {
        words = values.iter().map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned)).collect::<Vec<_>>().join(", ");
    }
    if let (Some(min), Some(max)) = (schema["minimum"].as_i64(), schema["maximum"].as_i64()) {
        put(&mut words, format_args!(" from {min} to {max}"));
    }
    if !schema["default"].is_null() {
        put(&mut words, format_args!("; default {}", schema["default"]));
    }
    words
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn put(html: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _infallible = html.write_fmt(text);
}

/// Text as HTML, with text between backticks as code.
fn prose(text: &str) -> String {
    let mut html = String::new();
    for (number, part) in text.split('`').enumerate() {
        let part = escaped(part);
        if number % 2 == 1 { put(&mut html, format_args!("<code>{part}</code>")) } else { html.push_str(&part) }
    }
    html
}

/// Text as HTML, in content and in quoted attributes.
fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            other => html.push(other),
        }
    }
    html
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn all_texts_are_escaped() {
        let nasty = "<script>alert('1')</script>\"&";
        let document = json!({
            "info": {"title": nasty, "version": nasty, "description": nasty},
            "paths": {nasty: {"get": {
                "operationId": nasty, "summary": nasty, "description": nasty,
                "parameters": [{"name": nasty, "in": nasty, "description": nasty, "schema": {"type": nasty}}],
                "responses": {nasty: {"description": nasty, "content": {nasty: {"schema": {"properties": {nasty: {"description": nasty}}}}}}},
            }}},
        });
        let page = render(&document);
        assert!(!page.contains("<script") && !page.contains("\"&\""), "{page}");
        assert!(page.contains("&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&quot;&amp;"));
    }

    #[test]
    fn a_recursive_schema_ends() {
        let document = json!({
            "paths": {"/a": {"get": {"responses": {"200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/A"}}}}}}}},
            "components": {"schemas": {"A": {"type": "object", "properties": {"a": {"$ref": "#/components/schemas/A"}}}}},
        });
        let page = render(&document);
        assert!(page.contains("<code>a.a</code>") && !page.contains("a.a.a.a.a.a.a"), "{page}");
    }
}
