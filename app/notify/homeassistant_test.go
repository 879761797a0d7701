package notify

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"timestation/engine/status"
)

// What Home Assistant's documentation of discovery allows (integrations mqtt, sensor.mqtt and binary_sensor.mqtt, 2026.9),
// as far as the station uses it: the type of each key.
var (
	discoveryOfAll = map[string]any{"name": "", "unique_id": "", "default_entity_id": "", "state_topic": "", "value_template": "",
		"availability_topic": "", "icon": "", "device_class": "", "entity_category": "", "json_attributes_topic": "",
		"device": map[string]any{}, "origin": map[string]any{}}
	discoveryOf = map[string]map[string]any{
		"binary_sensor": {},
		"sensor":        {"unit_of_measurement": "", "state_class": "", "suggested_display_precision": 0.0, "options": []any{}},
	}
	discoveryOfDevice = map[string]any{"identifiers": []any{}, "name": "", "manufacturer": "", "model": "", "sw_version": "", "configuration_url": ""}
	discoveryOfOrigin = map[string]any{"name": "", "sw_version": ""}
)

// Home Assistant is not among the far sides that the tests can start; the messages are held against its documentation.
func TestHomeAssistantDiscovery(t *testing.T) {
	for _, language := range []string{"en", "de"} {
		env := environment()
		env.Station, env.Language, env.WebAddress = "Studio Köln 2", language, "http://192.0.2.1:8123"
		env.Status = func() status.Snapshot { return status.Snapshot{State: status.Holdover} }
		m := &mqtt{settings: mqttSettings{Discovery: "homeassistant"}, env: env, node: slug(env.Station), base: "timestation/" + slug(env.Station)}
		state := jsonOf(t, m.state())
		if len(m.entities()) < 9 {
			t.Fatalf("%d entities", len(m.entities()))
		}
		unique := map[any]bool{}
		for topic, entity := range m.entities() {
			e := jsonOf(t, entity)
			found := regexp.MustCompile(`^homeassistant/(binary_sensor|sensor)/([a-zA-Z0-9_-]+)/([a-zA-Z0-9_-]+)/config$`).FindStringSubmatch(topic)
			if found == nil {
				t.Fatalf("%s is not <prefix>/<component>/<node_id>/<object_id>/config", topic)
			}
			component := found[1]
			allowed := maps.Clone(discoveryOfAll)
			maps.Copy(allowed, discoveryOf[component])
			fits(t, topic, e, allowed)
			fits(t, topic+" device", e["device"], discoveryOfDevice)
			fits(t, topic+" origin", e["origin"], discoveryOfOrigin)
			for _, required := range []string{"state_topic", "unique_id", "name", "device", "origin"} {
				if e[required] == nil {
					t.Errorf("%s has no %s", topic, required)
				}
			}
			if unique[e["unique_id"]] {
				t.Errorf("%s: unique_id %v is there twice", topic, e["unique_id"])
			}
			unique[e["unique_id"]] = true
			if id, _ := e["default_entity_id"].(string); !regexp.MustCompile(`^` + component + `\.[a-z0-9_]+$`).MatchString(id) {
				t.Errorf("%s: default_entity_id %q", topic, id)
			}
			key, ok := strings.CutPrefix(e["value_template"].(string), "{{ value_json.")
			key, ok2 := strings.CutSuffix(key, " }}")
			value, there := state[key]
			if !ok || !ok2 || !there {
				t.Errorf("%s: the template %v takes nothing out of the state %v", topic, e["value_template"], state)
			}
			if component == "binary_sensor" && value != "ON" && value != "OFF" {
				t.Errorf("%s: %v is none of the standard payloads", topic, value)
			}
			options, _ := e["options"].([]any)
			if (e["device_class"] == "enum") != (options != nil) || options != nil && (!slices.Contains(options, value) || e["state_class"] != nil || e["unit_of_measurement"] != nil) {
				t.Errorf("%s: an enum has options and no unit: %v", topic, e)
			}
			if category := e["entity_category"]; category != nil && category != "diagnostic" {
				t.Errorf("%s: a sensor's category is diagnostic or none, not %v", topic, category)
			}
			if e["device_class"] == "temperature" && e["unit_of_measurement"] != "°C" {
				t.Errorf("%s: %v", topic, e)
			}
		}
	}
}

// jsonOf is a value as whoever reads its JSON sees it.
func jsonOf(t *testing.T, v any) (object map[string]any) {
	t.Helper()
	text, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal(text, &object)
	}
	if err != nil {
		t.Fatal(err)
	}
	return object
}

// fits holds the keys of an object and the types of their values against what is allowed.
func fits(t *testing.T, what string, object any, allowed map[string]any) {
	t.Helper()
	fields, ok := object.(map[string]any)
	if !ok {
		t.Errorf("%s is %v", what, object)
	}
	for key, value := range fields {
		if model, known := allowed[key]; !known {
			t.Errorf("%s: Home Assistant knows no %s", what, key)
		} else if jsonKind(value) != jsonKind(model) {
			t.Errorf("%s: %s is %v", what, key, value)
		}
	}
}

func jsonKind(v any) string {
	switch v.(type) {
	case string:
		return "text"
	case float64:
		return "number"
	case []any:
		return "list"
	case map[string]any:
		return "object"
	}
	return "something else"
}
