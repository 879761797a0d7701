package notify

import "timestation/engine/status"

// mqttState is what state holds.
type mqttState struct {
	State       string   `json:"state"`
	TimeValid   string   `json:"time_valid"` // ON or OFF, as Home Assistant likes it
	Problem     string   `json:"problem"`    // ON while an alert worse than a note stands
	Reason      string   `json:"reason,omitempty"`
	Source      string   `json:"source"`
	Stratum     uint8    `json:"stratum"`
	Leap        string   `json:"leap"`
	MaxError    *float64 `json:"max_error_seconds"`
	Offset      *float64 `json:"source_offset_seconds"`
	Frequency   *float64 `json:"frequency_ppm"`
	Temperature *float64 `json:"temperature_celsius"`
	Alerts      int      `json:"alerts"`
}

// sameAs compares all but the figures.
func (s mqttState) sameAs(t mqttState) bool {
	s.MaxError, s.Offset, s.Frequency, s.Temperature = nil, nil, nil, nil
	t.MaxError, t.Offset, t.Frequency, t.Temperature = nil, nil, nil, nil
	return s == t
}

func (m *mqtt) state() mqttState {
	is := m.env.Status()
	onOff := map[bool]string{true: "ON", false: "OFF"}
	s := mqttState{State: string(is.State), Reason: is.Reason, Source: is.Selected, Stratum: is.Stratum, Leap: is.Leap,
		MaxError: is.MaxErrorSeconds, Frequency: is.FrequencyPPM, Temperature: is.TemperatureCelsius, Alerts: len(is.Alerts)}
	s.TimeValid = onOff[is.State != status.Unsynchronised && is.State != ""]
	problem := false
	for _, a := range is.Alerts {
		problem = problem || rank(a.Severity) >= rank(status.Warning)
	}
	s.Problem = onOff[problem]
	for _, source := range is.Sources {
		if is.Selected != "" && source.Name == is.Selected {
			s.Offset = &source.OffsetSeconds
		}
	}
	return s
}

// entities are the discovery messages for Home Assistant, by topic (home-assistant.io/integrations/mqtt,
// sensor.mqtt and binary_sensor.mqtt).
func (m *mqtt) entities() map[string]map[string]any {
	identifier := "timestation_" + m.node
	device := map[string]any{"identifiers": []string{identifier}, "name": m.env.Station, "manufacturer": "Timestation",
		"model": "Time station", "sw_version": m.env.Version}
	if m.env.WebAddress != "" {
		device["configuration_url"] = m.env.WebAddress
	}
	all := map[string]map[string]any{}
	add := func(component, key, name string, more map[string]any) {
		entity := map[string]any{
			"name": name, "unique_id": identifier + "_" + key, "default_entity_id": component + "." + m.node + "_" + key, "device": device,
			"origin":      map[string]any{"name": "Timestation", "sw_version": m.env.Version},
			"state_topic": m.base + "/state", "value_template": "{{ value_json." + key + " }}",
			"availability_topic": m.base + "/availability",
		}
		for k, v := range more {
			entity[k] = v
		}
		all[m.settings.Discovery+"/"+component+"/"+m.node+"/"+key+"/config"] = entity
	}
	german := m.env.Language == "de"
	word := func(english, inGerman string) string {
		if german {
			return inGerman
		}
		return english
	}
	diagnostic := map[string]any{"entity_category": "diagnostic"}
	figure := func(unit string, digits int) map[string]any {
		return map[string]any{"unit_of_measurement": unit, "state_class": "measurement", "suggested_display_precision": digits,
			"entity_category": "diagnostic"}
	}
	add("binary_sensor", "time_valid", word("Time valid", "Zeit gültig"), map[string]any{"icon": "mdi:clock-check"})
	add("binary_sensor", "problem", word("Alert", "Meldung"), map[string]any{"device_class": "problem",
		"json_attributes_topic": m.base + "/state"})
	add("sensor", "state", word("State", "Zustand"), map[string]any{"device_class": "enum",
		"options": []string{string(status.Synchronised), string(status.Holdover), string(status.Unsynchronised)}})
	add("sensor", "source", word("Source", "Quelle"), diagnostic)
	add("sensor", "stratum", "Stratum", diagnostic)
	add("sensor", "alerts", word("Alerts", "Meldungen"), diagnostic)
	add("sensor", "max_error_seconds", word("Error bound", "Fehlerschranke"), figure("s", 6))
	add("sensor", "source_offset_seconds", word("Source offset", "Abweichung der Quelle"), figure("s", 6))
	temperature := figure("°C", 1)
	temperature["device_class"] = "temperature"
	add("sensor", "temperature_celsius", word("Temperature", "Temperatur"), temperature)
	return all
}
