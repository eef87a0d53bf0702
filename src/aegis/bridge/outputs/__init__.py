"""The picture in other people's formats: GeoJSON, aircraft.json, Cursor on Target, ASTERIX."""
